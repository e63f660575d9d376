/** Runs of vitest on scenes: files of tests that are to fail, to be skipped, to be killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";

const vitest = fileURLToPath(new URL("../../node_modules/vitest/vitest.mjs", import.meta.url));
const scenes = fileURLToPath(new URL("./scenes", import.meta.url));

const results = v.object({
  testResults: v.array(
    v.object({
      assertionResults: v.array(
        v.object({
          ...{ title: v.string(), status: v.string(), failureMessages: v.nullish(v.array(v.string()), []) },
          meta: v.optional(v.object({ skipped: v.optional(v.string()) }), {}),
        }),
      ),
    }),
  ),
});

/** What a run has come to. */
export interface Ended {
  readonly code: number | NodeJS.Signals;
  /** By the name of the test; `skipped` is why it was. */
  readonly tests: ReadonlyMap<
    string,
    { readonly status: string; readonly message: string; readonly skipped: string | undefined }
  >;
  readonly junit: string;
  readonly output: string;
  /** Attachments that are files: by their names, what is in them. */
  readonly attached: ReadonlyMap<string, string>;
}

/** A run of vitest that is under way. */
export interface Run {
  readonly process: ChildProcess;
  /** What it has printed up to now. */
  output(): string;
  /** Waits until it has printed something. */
  printed(text: string): Promise<void>;
  ended(): Promise<Ended>;
}

/** Begins a run on some scenes, with docks by the environment. Leases are in `home`, which is to be shared by runs that meet; `args` are vitest's. */
export function beginRun(
  files: readonly string[],
  env: Readonly<Record<string, string>>,
  home: string,
  ...args: readonly string[]
): Run {
  const folder = mkdtempSync(join(tmpdir(), "dl7450-kit-"));
  const [json, junit, attachments] = [join(folder, "out.json"), join(folder, "out.xml"), join(folder, "attachments")];
  const child = spawn(
    process.execPath,
    [
      ...[vitest, "run", "--config", join(scenes, "vitest.config.ts"), ...files.map((file) => `${file}.scene.ts`)],
      ...["--reporter=verbose", "--reporter=json", "--reporter=junit", "--reporter=github-actions"],
      ...args,
      `--attachmentsDir=${attachments}`,
      ...[`--outputFile.json=${json}`, `--outputFile.junit=${junit}`],
    ],
    {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, VITEST: "", NO_COLOR: "1", XDG_DATA_HOME: home, DL7450_ALLOW_WRITE: "", ...env },
    },
  );
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
    });
  }
  const closed = once(child, "close");
  return {
    process: child,
    output: () => output,
    async printed(text) {
      while (!output.includes(text))
        await Promise.race([once(child.stdout, "data"), once(child.stderr, "data"), closed.then(() => fail(text, output))]);
    },
    async ended() {
      await closed;
      const read = (path: string): string => {
        try {
          return readFileSync(path, "utf8");
        } catch {
          return "";
        }
      };
      const found = v.safeParse(v.pipe(v.string(), v.parseJson(), results), read(json));
      const tests = (found.success ? found.output.testResults : []).flatMap(({ assertionResults }) => assertionResults);
      const ended = {
        code: child.exitCode ?? child.signalCode ?? 0,
        tests: new Map(
          tests.map(({ title, status, failureMessages, meta: { skipped } }) => [
            title,
            { status, message: (failureMessages ?? []).join("\n"), skipped },
          ]),
        ),
        ...{ junit: read(junit), output },
        attached: new Map(namesIn(attachments).map((name) => [name, read(join(attachments, name))])),
      };
      rmSync(folder, { recursive: true, force: true });
      return ended;
    },
  };
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

function fail(text: string, output: string): never {
  throw new Error(`the run has ended without ${JSON.stringify(text)}: ${output}`);
}
