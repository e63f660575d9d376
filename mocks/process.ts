/** A mock dock as a process: what it is told, and what it then serves. */
import { fileURLToPath } from "node:url";
import { Command, InvalidArgumentError, Option } from "commander";
import { utf8Length } from "../protocol/index.js";
import { DockModel, PROFILES, type ProfileName } from "./dock.js";
import { endWithParent, fail } from "./lifetime.js";
import { type Serve, servePseudoTerminal, serveTcp } from "./port.js";
import { Random } from "./random.js";
import { Service } from "./service.js";
import { fill } from "./stock.js";

interface Options {
  readonly profile: ProfileName;
  readonly name: string;
  readonly seed: number;
  readonly data: string;
  readonly tcp?: { readonly host: string; readonly port: number };
  readonly chatty: boolean;
}

/** Runs the mock dock until it is told to end. */
export function run(argv: readonly string[]): void {
  const started = performance.now();
  endWithParent();
  const options = parse(argv);
  const random = new Random(options.seed);
  const dock = new DockModel(PROFILES[options.profile], options.name);
  try {
    fill(dock, options.data, options.seed);
  } catch (error) {
    fail(`${options.data} doesn't describe a dock: ${error instanceof Error ? error.message : error}`);
  }
  const serve: Serve = (line) => new Service(dock, { line, uptime: () => performance.now() - started, chatty: options.chatty });
  if (options.tcp === undefined) servePseudoTerminal(random, serve);
  else serveTcp(options.tcp, random, serve);
}

function parse(argv: readonly string[]): Options {
  const stock = fileURLToPath(new URL("./fixtures/stock/dock.json", packagedMocks()));
  const program = new Command("dl7450-mock")
    .description(
      "A mock DL-7450 dock: serves a pseudo-terminal, prints one JSON line with its port when ready, ends on SIGTERM or with its parent.",
    )
    .addOption(new Option("--profile <name>", "what it can do").choices(Object.keys(PROFILES)).default("full"))
    .option("--name <label>", "the dock's label, at most 64 bytes", label, "MOCK-0001")
    .option("--seed <number>", "for everything random", wholeNumber, 1)
    .option("--data <file>", "what it holds, as JSON; the stock data in mocks/fixtures/stock/dock.json show how", stock)
    .option("--tcp <host:port>", "serve TCP instead; a port alone is on 127.0.0.1, 0 is any free one", tcpAddress)
    .option("--chatty", "print console text before each answer", false)
    .addHelpText("after", "\nExample: dl7450-mock --profile preview --tcp 7450");
  program.parse([...argv], { from: "user" });
  return program.opts<Options>();
}

/** The folder of this file in the package's sources: the fixtures aren't compiled. */
function packagedMocks(): URL {
  return new URL(import.meta.url.includes("/dist/mocks/") ? "../../mocks/" : "./", import.meta.url);
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
