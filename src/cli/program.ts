/** The words of the command line: commands, options, help. */
import { Command } from "commander";
import { version } from "../version.js";
import { addCompletion } from "./completion.js";
import { addConfig } from "./config.js";
import { addConformance } from "./conformance.js";
import { addConsole } from "./console.js";
import type { Context } from "./context.js";
import { addDf } from "./df.js";
import { addDoctor } from "./doctor.js";
import { addImageDelete } from "./image-delete.js";
import { addImageGet } from "./image-get.js";
import { addImageList } from "./image-list.js";
import { addImagePut } from "./image-put.js";
import { addImageShow } from "./image-show.js";
import { addImageToken } from "./image-token.js";
import { addImageWhich } from "./image-which.js";
import { addInfo } from "./info.js";
import { addKvDelete } from "./kv-delete.js";
import { addKvExport } from "./kv-export.js";
import { addKvGet } from "./kv-get.js";
import { addKvImport } from "./kv-import.js";
import { addKvList } from "./kv-list.js";
import { addKvSet } from "./kv-set.js";
import { addLs } from "./ls.js";
import { addGlobalOptions, examples } from "./options.js";
import { addPorts } from "./ports.js";
import { addReset } from "./reset.js";
import { addRestart } from "./restart.js";
import { addRomCheck } from "./rom-check.js";
import { addRomPayload } from "./rom-payload.js";
import { addRomPull } from "./rom-pull.js";
import { addRomPush } from "./rom-push.js";
import { addRomVerify } from "./rom-verify.js";
import { addSettings } from "./settings.js";
import { addSnapshotDiff } from "./snapshot-diff.js";
import { addSnapshotRestore } from "./snapshot-restore.js";
import { addSnapshotSave } from "./snapshot-save.js";
import { addTraceReplay } from "./trace-replay.js";
import { addTraceShow } from "./trace-show.js";
import { addUdev } from "./udev.js";

const EXIT_CODE_HELP = `
Exit codes:
  0 done            4 not on the dock           7 refused, by the dock or as a file
  1 another error   5 in use, or not permitted  8 not the same
  2 wrong usage     6 link lost, or no answer   130 interrupted
  3 no dock, or several`;

/**
 * The program, ready to parse. It throws where it would end the process, and leaves errors to be told by its caller.
 * @param writeHelp gets the help that is printed where a command is missing
 */
export function createProgram(context: Context, writeHelp: (text: string) => void): Command {
  const { stdout, stderr } = context;
  const program = new Command("dl7450")
    .description("Reads and writes the datastore of a DisplayLink DL-7450 dock over USB serial.")
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: writeHelp,
      outputError: () => {},
      getOutHelpWidth: () => stdout.columns ?? 100,
      getErrHelpWidth: () => stderr.columns ?? 100,
    });
  addGlobalOptions(program);
  addSettings(program, context);
  addPorts(program, context);
  addInfo(program, context);
  addLs(program, context);
  addDf(program, context);
  const kv = program.command("kv").description("keys and values");
  addKvList(kv, context);
  addKvGet(kv, context);
  addKvSet(kv, context);
  addKvDelete(kv, context);
  addKvImport(kv, context);
  addKvExport(kv, context);
  kv.addHelpText("after", examples("dl7450 kv get timezone", "dl7450 kv set timezone Europe/Berlin"));
  const image = program.command("image").description("images");
  addImageList(image, context);
  addImageWhich(image, context);
  addImageGet(image, context);
  addImageShow(image, context);
  addImageToken(image, context);
  addImagePut(image, context);
  addImageDelete(image, context);
  image.addHelpText("after", examples("dl7450 image get default -o default.png", "dl7450 image put logo.png"));
  const rom = program.command("rom").description("the vendor's provisioning file");
  addRomCheck(rom, context);
  addRomPush(rom, context);
  addRomPull(rom, context);
  addRomVerify(rom, context);
  addRomPayload(rom, context);
  rom.addHelpText("after", examples("dl7450 rom check config.yaml", "dl7450 rom payload config.yaml > payload.json"));
  const snapshot = program.command("snapshot").description("what the dock holds, in a folder");
  addSnapshotSave(snapshot, context);
  addSnapshotDiff(snapshot, context);
  addSnapshotRestore(snapshot, context);
  snapshot.addHelpText("after", examples("dl7450 snapshot save bench-4", "dl7450 snapshot diff bench-4"));
  addConsole(program, context);
  const trace = program.command("trace").description("what --trace has written down");
  addTraceShow(trace, context);
  addTraceReplay(trace, context);
  trace.addHelpText("after", examples("dl7450 --trace t.ndjson ls", "dl7450 trace show t.ndjson"));
  addRestart(program, context);
  addDoctor(program, context);
  addConformance(program, context);
  addConfig(program, context);
  addUdev(program, context);
  addCompletion(program, context);
  addReset(program, context);
  return program
    .addHelpText("after", EXIT_CODE_HELP)
    .addHelpText(
      "after",
      examples(
        "dl7450 ls",
        "dl7450 image get default -o default.png",
        "dl7450 image put logo.png",
        "dl7450 --port mock: kv get timezone",
      ),
    );
}
