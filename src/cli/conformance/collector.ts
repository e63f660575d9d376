/** What vitest tells of a run while it goes on, kept as results: a reporter for it. */
import { inspect, stripVTControlCharacters } from "node:util";
import type { TestResult as VitestResult } from "vitest/node";
import { byGroup, type Counts, countsOf, type Failure, fullName, type Outcome, type Run, type TestResult } from "./results.js";

/** What is used of vitest's `TestCase`. */
export interface SeenTest {
  readonly id: string;
  readonly name: string;
  readonly parent: SeenParent;
  readonly options: { readonly mode: string };
  result(): VitestResult;
  diagnostic(): { readonly duration: number } | undefined;
}

/** What is used of `TestSuite` and `TestModule`. */
export type SeenParent =
  | { readonly type: "module" }
  | { readonly type: "suite"; readonly name: string; readonly parent: SeenParent };

/** What is used of `TestModule`. */
export interface SeenModule {
  errors(): readonly SeenError[];
  readonly children: { allTests(): Iterable<SeenTest>; allSuites(): Iterable<{ errors(): readonly SeenError[] }> };
}

/** An error as it comes from another process. */
interface SeenError {
  readonly name?: string;
  readonly message: string;
  readonly stack?: string | undefined;
  readonly diff?: string | undefined;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
}

/** What is kept of one text from outside, and of what one test prints, in characters. */
const MOST_TEXT = 20_000;
const MOST_PRINTED = 64_000;

type Result = Omit<TestResult, "printed">;

export class ResultCollector {
  readonly #tests = new Map<string, Result>();
  /** By the id of the test. */
  readonly #printed = new Map<string, string>();
  readonly #onGroup: (group: string, counts: Counts) => void;
  #troubles: readonly string[] = [];
  #notRun = 0;
  #running: string | undefined;
  #isFrozen = false;

  /** @param onGroup is told of each group that is through, unless nothing of it was to be run */
  constructor(onGroup: (group: string, counts: Counts) => void) {
    this.#onGroup = onGroup;
  }

  /** What ends from now on doesn't count: it may have been made to. */
  freeze(): void {
    this.#isFrozen = true;
  }

  onTestCaseReady(test: SeenTest): void {
    this.#running = fullName(placeOf(test));
  }

  onTestCaseResult(test: SeenTest): void {
    this.#running = undefined;
    const outcome = outcomeOf(test.result());
    if (this.#isFrozen || !isAskedFor(test) || outcome === undefined) return;
    this.#tests.set(test.id, { ...placeOf(test), outcome, duration: test.diagnostic()?.duration ?? 0 });
  }

  onUserConsoleLog({ content, taskId = "" }: { readonly content: string; readonly taskId?: string }): void {
    // The end is what led to the failure.
    this.#printed.set(taskId, ((this.#printed.get(taskId) ?? "") + stripVTControlCharacters(content)).slice(-MOST_PRINTED));
  }

  onTestSuiteResult({ name, parent }: { readonly name: string; readonly parent: SeenParent }): void {
    const tests = parent.type === "module" ? byGroup(this.results()).get(name) : undefined;
    if (tests !== undefined && !this.#isFrozen) this.#onGroup(name, countsOf(tests));
  }

  onTestRunEnd(modules: readonly SeenModule[], unhandled: readonly SeenError[]): void {
    const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
    const messages = [...unhandled, ...suites.flatMap((suite) => suite.errors())].flatMap((it) => messagesOf(it));
    const meanwhile = this.#running === undefined ? [] : [`while ${this.#running} was running`];
    this.#troubles = messages.length === 0 ? [] : [...new Set(messages), ...meanwhile];
    const toRun = modules.flatMap((module) => [...module.children.allTests()].filter(isAskedFor));
    this.#notRun = toRun.filter(({ id }) => !this.#tests.has(id)).length;
  }

  /** What has ended up to now. */
  results(): TestResult[] {
    return [...this.#tests].map(([id, test]) => {
      const printed = test.outcome.kind === "failed" ? (this.#printed.get(id) ?? "") : "";
      return { ...test, printed };
    });
  }

  /** All of it, once the run is over. */
  run(begun: Date, duration: number): Run {
    return { tests: this.results(), troubles: this.#troubles, notRun: this.#notRun, begun, duration };
  }
}

/** What a filter leaves out was marked so before anything was run. */
function isAskedFor({ options }: SeenTest): boolean {
  return options.mode === "run";
}

/** The outermost group, and the name with the groups within it. */
function placeOf({ name, parent }: Pick<SeenTest, "name" | "parent">): { group: string; name: string } {
  if (parent.type === "module") return { group: "", name };
  return parent.parent.type === "module"
    ? { group: parent.name, name }
    : placeOf({ name: `${parent.name} > ${name}`, parent: parent.parent });
}

/** Undefined for what wasn't run. A test that skips itself says why; others are when their group couldn't be set up. */
function outcomeOf(result: VitestResult): Outcome | undefined {
  switch (result.state) {
    case "passed":
      return { kind: "passed" };
    case "skipped":
      return result.note === undefined ? undefined : { kind: "skipped", why: textOf(result.note) };
    case "failed":
      return { kind: "failed", failures: result.errors.map(failureOf) };
    case "pending":
      return undefined;
  }
}

function failureOf({ name = "Error", code, message, diff = "", stack = "", cause }: SeenError): Failure {
  const because = isError(cause) ? [`caused by ${textOf(cause.stack ?? cause.message)}`] : [];
  return {
    type: [name, ...(typeof code === "string" ? [code] : [])].map(textOf).join(" "),
    message: textOf(message),
    difference: textOf(diff),
    stack: [textOf(stack), ...because].filter((it) => it !== "").join("\n"),
  };
}

/** Without colours, and no longer than anyone reads. What is thrown needn't be an error, nor its message text. */
function textOf(said: unknown): string {
  const text = typeof said === "string" ? said : inspect(said);
  const plain = stripVTControlCharacters(text.slice(0, 2 * MOST_TEXT));
  return plain.length > MOST_TEXT ? `${plain.slice(0, MOST_TEXT)}…` : plain;
}

/** How far errors are looked into for what caused them. */
const DEEPEST = 8;

/** What went wrong, from the innermost error: those around it say only that something did. */
function messagesOf(error: SeenError, depth = 0): string[] {
  const within = [...(Array.isArray(error.errors) ? error.errors : []), error.cause].filter(isError);
  if (within.length > 0 && depth < DEEPEST) return within.flatMap((it) => messagesOf(it, depth + 1));
  return [textOf(error.message).replace(/\.$/, "")];
}

function isError(value: unknown): value is SeenError {
  return typeof value === "object" && value !== null && "message" in value;
}
