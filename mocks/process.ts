/** A mock dock as a process: what it is told, and what it then serves. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { type Limits, utf8Length } from "../protocol/index.js";
import { readSnapshot, type Snapshot } from "../snapshot/folder.js";
import type { Behind } from "./behind.js";
import { CONTROL_HELP, Control } from "./control.js";
import { DockModel, PROFILES, type ProfileName } from "./dock.js";
import { DockBehind } from "./dock-behind.js";
import { FAULT_HELP, loadFault, parseFault } from "./faults/parse.js";
import { Faults } from "./faults.js";
import { endWithParent, fail, onEnd, onReady } from "./lifetime.js";
import type { Screen } from "./micropython/screen.js";
import type { Serve } from "./ports/port.js";
import { servePseudoTerminal } from "./ports/pseudo-terminal.js";
import { serveSerial } from "./ports/serial.js";
import { serveTcp } from "./ports/tcp.js";
import { Random } from "./random.js";
import { replaceFile } from "./replace-file.js";
import { Replay, readRecording } from "./replay.js";
import { Memory, Service } from "./service.js";
import { StateFolder } from "./state.js";
import { fill, fillFrom } from "./stock.js";

interface Options {
  readonly engine: "mock" | "micropython";
  readonly profile?: ProfileName;
  readonly name?: string;
  readonly seed: number;
  readonly data: string;
  readonly code?: string;
  readonly from?: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly serial?: string;
  readonly chatty: boolean;
  readonly state?: string;
  readonly replay?: string;
  readonly fault: readonly string[];
  readonly faultScript: readonly string[];
  readonly report: boolean;
  readonly control: boolean;
}

/** Runs the mock dock until it is told to end. */
export async function run(argv: readonly string[]): Promise<void> {
  endWithParent();
  const options = parse(argv);
  const random = new Random(options.seed);
  const faults = await faultsOf(options, random);
  const serve = faults.wrap(options.engine === "micropython" ? await micropython(options) : await service(options, faults));
  if (options.report) reportAtEnd(faults);
  if (options.control) onReady(() => obeyParent(new Control(faults, options.seed)));
  if (options.tcp !== undefined) serveTcp(options.tcp, random, serve);
  else if (options.serial !== undefined) serveSerial(options.serial, random, serve);
  else await servePseudoTerminal(random, serve);
}

/** A dock in this process. */
async function service(options: Options, faults: Faults): Promise<Serve> {
  const memory = new Memory(clock.now());
  const { chatty, replay } = options;
  const served = replay === undefined ? { behind: new DockBehind(await dockOf(options)) } : await replayOf(replay);
  const { behind, ...rest } = served;
  return (line) => new Service(behind, memory, { line, clock, faults, chatty, ...rest });
}

/** A dock that runs an application in MicroPython: unless told, the agent for real docks on what the vendor documents today. */
async function micropython(options: Options): Promise<Serve> {
  const { AGENT, startMicroPython } = await import("./micropython/engine.js"); // only for who needs it
  const { profile = "preview", code = AGENT, report } = options;
  const dock = await dockOf({ ...options, profile, code });
  const onScreen = report ? (screen: Screen): void => tell({ screen }) : undefined;
  try {
    return await startMicroPython(dock, Buffer.from(dock.code).toString(), {
      announced: profile === "full",
      ...(onScreen === undefined ? {} : { onScreen }),
    });
  } catch (error) {
    fail(`${code} can't run: ${messageOf(error)}`);
  }
}

/** Says something as a line of JSON, to whoever reads it. */
function tell(it: object): void {
  process.stdout.write(`${JSON.stringify(it)}\n`);
}

const clock = {
  now: () => performance.now(),
  after(ms: number, then: () => void): () => void {
    const timer = setTimeout(then, ms);
    return () => clearTimeout(timer);
  },
};

/** The dock as it was, where its state is kept; otherwise, or the first time, with the data that it is given. */
async function dockOf({
  profile = "full",
  name,
  state,
  data,
  from,
  code = stockFile("app.py"),
  seed,
}: Options): Promise<DockModel> {
  let dock: DockModel;
  let snapshot: Snapshot | undefined;
  try {
    snapshot = from === undefined ? undefined : await readSnapshot(from);
    const folder = state === undefined ? undefined : await StateFolder.open(state, { write: replaceOrEnd });
    dock = new DockModel(PROFILES[profile], name ?? snapshot?.dock.name ?? "MOCK-0001", {
      // Called otherwise, it stands for another dock.
      ...(snapshot === undefined || name !== undefined ? {} : { id: snapshot.dock.id }),
      ...(folder === undefined ? {} : { state: folder }),
      code: readCode(code),
    });
  } catch (error) {
    fail(messageOf(error));
  }
  try {
    if (dock.isFresh && snapshot !== undefined) await fillFrom(dock, snapshot);
    else if (dock.isFresh) fill(dock, data, seed);
    dock.save();
    return dock;
  } catch (error) {
    fail(`${from ?? data} doesn't describe a dock: ${messageOf(error)}`);
  }
}

function readCode(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    fail(`${path} can't be read: ${messageOf(error)}`);
  }
}

/** Broken lines of a trace that are told of. */
const MOST_BROKEN = 5;

/** A dock that answers as in a trace. */
async function replayOf(path: string): Promise<{ readonly behind: Behind; readonly limits: Limits }> {
  let broken = 0;
  const tell = (line: number, why: string): void => {
    if (++broken <= MOST_BROKEN) process.stderr.write(`dl7450-mock: line ${line} of ${path} is passed over: ${why}\n`);
  };
  try {
    const behind = new Replay(await readRecording(path, tell));
    return { behind, limits: behind.limits };
  } catch (error) {
    const isOfSystem = error instanceof Error && "syscall" in error;
    fail(`${path} ${isOfSystem ? "can't be read: " : ""}${messageOf(error)}`);
  }
}

/** A dock that can't keep what it was told to doesn't say that it has: it ends before its answer is sent. */
function replaceOrEnd(file: string, content: string | Uint8Array): void {
  try {
    replaceFile(file, content);
  } catch (error) {
    fail(`the state can't be kept: ${messageOf(error)}`);
  }
}

async function faultsOf({ engine, fault, faultScript }: Options, random: Random): Promise<Faults> {
  const faults = new Faults(clock, engine === "mock" ? "line and dock" : "line");
  try {
    for (const text of fault) faults.add(parseFault(text, random));
    for (const path of faultScript) for (const it of await loadFault(path, random)) faults.add(it);
  } catch (error) {
    fail(messageOf(error));
  }
  return faults;
}

/** How often it is told what faults there were, in milliseconds. */
const REPORT = 200;

/** Tells how often which fault happened, in lines of JSON: a process that is killed says nothing at its end. */
function reportAtEnd(faults: Faults): void {
  let last = "";
  const report = (): void => {
    const told = Object.fromEntries(faults.counts);
    const text = JSON.stringify(told);
    if (text !== last) tell({ faults: told });
    last = text;
  };
  process.stdout.on("error", () => {}); // nobody listens any more, which isn't the mock's affair
  setInterval(report, REPORT).unref();
  onEnd(report);
}

/** Reads what it is told on its standard input, whose end changes nothing. Where nobody reads the answers, it has lost its parent. */
function obeyParent(control: Control): void {
  process.stdout.on("error", () => fail("nobody reads what --control answers"));
  process.stdin.on("error", () => {}); // as its end
  process.stdin.on("data", (bytes) => {
    for (const answer of control.feed(bytes)) process.stdout.write(`${answer}\n`);
  });
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function parse(argv: readonly string[]): Options {
  const program = new Command("dl7450-mock")
    .description(
      "A mock DL-7450 dock: serves a pseudo-terminal, prints one JSON line with its port when ready, ends on SIGTERM or with its parent.",
    )
    .addOption(
      new Option("--engine <name>", "who answers: a mock, or dock/datastore_agent.py in MicroPython")
        .choices(["mock", "micropython"])
        .default("mock"),
    )
    .addOption(
      new Option("--profile <name>", "what it can do; full unless told, in MicroPython preview").choices(Object.keys(PROFILES)),
    )
    .option("--name <label>", "the dock's label, at most 64 bytes; MOCK-0001 unless told, or the snapshot's", label)
    .option("--seed <number>", "for everything random", wholeNumber, 1)
    .option(
      "--data <file>",
      "what it holds, as JSON; the stock data in mocks/fixtures/stock/dock.json show how",
      stockFile("dock.json"),
    )
    .addOption(new Option("--from <folder>", "what it holds, as `dl7450 snapshot save` has written it").conflicts("data"))
    .option("--code <file>", "its application's code; in MicroPython, what runs in place of the agent")
    .option("--tcp <host:port>", "serve TCP instead; a port alone is on 127.0.0.1, 0 is any free one", tcpAddress)
    .addOption(
      new Option("--serial <path>", "serve a serial port instead, such as a USB gadget's /dev/ttyGS0").conflicts("tcp"),
    )
    .option("--chatty", "print console text before each answer", false)
    .option("--state <folder>", "where factory and runtime are kept; what it has comes before --data")
    .addOption(
      new Option("--replay <file>", "answer as the dock did whose trace this is, which `dl7450 --trace` has written").conflicts(
        ["profile", "name", "data", "from", "state"],
      ),
    )
    .option("--fault <kind[:key=value,…]>", "something that goes wrong, see below; may be given several times", several, [])
    .option("--fault-script <file>", "a module that makes faults of its own", several, [])
    .option("--report", "print how often which fault happened, and what a dock in MicroPython shows, as lines of JSON", false)
    .option("--control", "replace faults while it runs, see below", false)
    .addHelpText("after", `\nFaults:\n${FAULT_HELP}`)
    .addHelpText("after", `\n${CONTROL_HELP}`)
    .addHelpText("after", "\nExample: dl7450-mock --profile preview --tcp 7450");
  program.parse([...argv], { from: "user" });
  const options = program.opts<Options>();
  if (options.engine === "mock") return options;
  const given = MOCKS_ALONE.find((key) => program.getOptionValueSource(key) === "cli");
  if (given !== undefined) program.error(`error: --engine micropython takes no --${given}`);
  if (options.profile === "development") program.error("error: --engine micropython has the profiles preview and full");
  return options;
}

/** What a dock in MicroPython can't be told. */
const MOCKS_ALONE = ["chatty", "state", "replay"] as const;

/** A fixture, in the package's sources: those aren't compiled. */
function stockFile(name: string): string {
  const sources = new URL(import.meta.url.includes("/dist/mocks/") ? "../../mocks/" : "./", import.meta.url);
  return fileURLToPath(new URL(`./fixtures/stock/${name}`, sources));
}

function several(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function label(text: string): string {
  if (utf8Length(text) > 64) throw new InvalidArgumentError("at most 64 bytes");
  return text;
}

function wholeNumber(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError("a whole number");
  return Number(text);
}

function tcpAddress(text: string): { host: string; port: number } {
  const [, host = "127.0.0.1", port] = /^(?:(.+):)?(\d{1,5})$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) throw new InvalidArgumentError("HOST:PORT or PORT");
  return { host: host.replace(/^\[|\]$/g, ""), port: Number(port) };
}
