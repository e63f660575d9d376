/** `dl7450 conformance`: puts a dock to the contract suite, without a checkout. */
import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";

export interface ConformanceOptions extends GlobalOptions {
  /** The path of a file. */
  readonly junit?: string;
  /** Features, and parts of names. */
  readonly only?: readonly string[];
}

const NOTES = `
Runs by vitest, which isn't installed with dl7450: npm install vitest@4

It only reads, unless DL7450_ALLOW_WRITE in the environment has the dock's name: then it writes everywhere, restarts
and resets the dock, and puts back after each test what it held, also after a run that was killed. What comes back isn't
marked as unique per dock any more. A mock dock is written to anyway. What the dock doesn't have is skipped, with the
reason. Ends with 0 when nothing has failed and something has passed, with 8 when a test has failed.`;

export function addConformance(program: Command, context: Context): void {
  program
    .command("conformance")
    .description("put a dock to the suite of tests that every dock should pass, for who writes firmware")
    .option(
      "--only <name>",
      "the tests of this feature (SPEC §3.3), or with this in their name; may be given several times",
      added,
    )
    .option("--junit <file>", "write JUnit XML as well: a file, which is replaced when all is there", junitPath)
    .addHelpText("after", NOTES)
    .addHelpText(
      "after",
      examples("dl7450 --port mock: conformance", 'dl7450 conformance --only "gives its images" --junit out.xml'),
    )
    .action(async (_local: unknown, command: Command) => {
      const options = command.optsWithGlobals<ConformanceOptions>();
      if (options.trace !== undefined) command.error("each test opens the dock for itself, which --trace doesn't see");
      const { conduct } = await import("./conformance/conduct.js"); // not for --help
      await conduct(context, options);
    });
}

function added(text: string, before: readonly string[] = []): readonly string[] {
  if (text === "") throw new InvalidArgumentError("It is a feature, or part of a name.");
  return [...before, text];
}

function junitPath(text: string): string {
  if (text !== "" && text !== "-") return text;
  throw new InvalidArgumentError("It is the path of a file: stdout is for the table.");
}
