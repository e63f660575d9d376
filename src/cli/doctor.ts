/** `dl7450 doctor`: what could keep a dock from being used, and what to do about it. */
import { realpath } from "node:fs/promises";
import type { Command } from "commander";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";
import type { Finding, PortChoice } from "./diagnosis.js";
import { withDock } from "./open-dock.js";
import { examples, type GlobalOptions } from "./options.js";
import { thoughUnread, writeJson, writeOut } from "./output.js";

export function addDoctor(program: Command, context: Context): void {
  program
    .command("doctor")
    .description("look at all that could keep a dock from being used: the machine, the port, the dock, the line")
    .addHelpText(
      "after",
      [
        "",
        "It only reads, and takes some two seconds. Ends with 0 when nothing has failed, though there may",
        "be warnings; otherwise as the first thing that has failed would have a command end.",
      ].join("\n"),
    )
    .addHelpText("after", examples("dl7450 doctor", "dl7450 doctor --port id:RW02-0005 --json"))
    .action(async (_local: unknown, command: Command) => {
      await doctor(context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function doctor(context: Context, options: GlobalOptions): Promise<void> {
  const { dockFindings, machineFindings, withoutDock } = await import("./diagnosis.js"); // not for --help
  const { machineOf } = await import("./machine.js");
  const machine = machineOf(context);
  const findings: Finding[] = [];
  const tell = async (finding: Finding): Promise<void> => {
    findings.push(finding);
    if (!options.json) await thoughUnread(writeOut(context, findingText(finding)));
  };
  for await (const finding of machineFindings(machine, await choiceOf(options.port))) await tell(finding);
  const before = findings.length;
  const begun = machine.now();
  try {
    await withDock(context, options, async (dock) => {
      for await (const finding of dockFindings(machine, dock, machine.now() - begun)) await tell(finding);
    });
  } catch (error) {
    if (context.signal.aborted || findings.length > before) throw error;
    for (const finding of withoutDock(error)) await tell(finding);
  }
  if (options.json) await thoughUnread(writeJson(context, findings));
  const failed = findings.filter(({ verdict }) => verdict === "failed");
  const [first] = failed;
  if (first !== undefined) {
    throw new CliError(first.code ?? "UNEXPECTED", `${failed.length} of ${findings.length} checks have failed.`);
  }
}

/** Which serial port the target names, if it is one. Fails with `USAGE`. */
async function choiceOf(port: string | undefined): Promise<PortChoice> {
  const { parseTarget } = await import("../transport/target.js");
  const target = parseTarget(port);
  switch (target.kind) {
    case "path":
      return { kind: "path", path: await realpath(target.path).catch(() => target.path) };
    case "id":
    case "only":
      return target;
    case "tcp":
    case "mock":
      return { kind: "none" };
  }
}

/** The width of the longest name of a check, and of the longest verdict. */
const WIDTHS = { check: "ModemManager".length, verdict: "skipped".length } as const;

function findingText({ check, verdict, said, advice }: Finding): string {
  const indent = " ".repeat(WIDTHS.verdict + 2 + WIDTHS.check + 2);
  const line = `${verdict.padEnd(WIDTHS.verdict)}  ${check.padEnd(WIDTHS.check)}  ${said}\n`;
  return advice === undefined ? line : `${line}${indent}${advice}\n`;
}
