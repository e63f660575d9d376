/** Options that several commands have. */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { Layer, LayerChoice } from "../index.js";
import { requireConfirm } from "./confirm.js";
import type { Context } from "./context.js";

/** What every command takes, before or after its name. */
export interface GlobalOptions {
  readonly port?: string;
  /** Seconds. */
  readonly timeout?: number;
  readonly baud?: number;
  readonly dtr?: boolean;
  readonly rts?: boolean;
  readonly json?: boolean;
  /** How it is told how far something is: a bar on a terminal, objects, not at all. */
  readonly progress: "auto" | "json" | "none";
  readonly quiet?: boolean;
  /** The path of a file. */
  readonly trace?: string;
}

export interface StoreOptions extends GlobalOptions {
  readonly store?: LayerChoice;
}

/** What every command takes that writes to a layer. */
export interface WriteLayerOptions extends GlobalOptions {
  readonly store: Layer;
  /** The dock's name. */
  readonly confirm?: string;
  /** Whether nothing is to be done but say what would be. */
  readonly dryRun: boolean;
}

export function addGlobalOptions(program: Command): void {
  program
    .option(
      "--port <target>",
      "the dock: a path, id:SERIAL, tcp://HOST:PORT, or a mock: mock:, mock:preview, mock:development, mock:micropython, mock:SNAPSHOT or mock:TRACE, with ?state=DIR&name=LABEL&seed=NUMBER; else $DL7450_PORT, else the only one",
      target,
    )
    .option("--timeout <seconds>", "longest wait for the dock to open, and for each answer", seconds)
    .option("--baud <rate>", "bits per second of a UART; USB doesn't care", baudRate)
    .option("--dtr", "have DTR on, as it is unless told: opening a port turns it on")
    .option("--no-dtr", "have DTR off once the port is open")
    .option("--rts", "have RTS on, as it is unless told")
    .option("--no-rts", "have RTS off once the port is open")
    .option("--json", "print JSON, errors too")
    .addOption(
      new Option(
        "--progress <how>",
        "how far it is: auto is a bar on a terminal, json an object a line on stderr, and nothing else there",
      )
        .choices(["auto", "json", "none"])
        .default("auto"),
    )
    .option("--quiet", "say nothing but data and errors")
    .option(
      "--trace <file>",
      "write down all that passes along the line, the values of keys too, for `dl7450 trace show`; a file that is there is replaced",
      tracePath,
    );
}

export function storeOption(): Option {
  const description = "look into this layer alone; application is ephemeral, then runtime";
  return new Option("--store <layer>", description).choices(Object.keys(LAYER_CHOICES));
}

/** Adds what says where to write. Factory data that isn't confirmed is wrong usage, before anything is opened. */
export function addWriteOptions(command: Command, context: Context): Command {
  return command
    .addOption(new Option("--store <layer>", "the layer to write to").choices(Object.keys(LAYERS)).default("runtime"))
    .option("--confirm <name>", "for factory, the dock's name, which `dl7450 info` tells: so that no other dock is meant")
    .addOption(dryRunOption())
    .hook("preAction", (command) => {
      const options = command.opts<WriteLayerOptions>();
      if (options.store === "factory") requireConfirm(context, command, options, "factory data is overwritten for good");
    });
}

const LAYERS: Readonly<Record<Layer, true>> = { factory: true, runtime: true, ephemeral: true };
const LAYER_CHOICES: Readonly<Record<LayerChoice, true>> = { ...LAYERS, application: true };

/** For commands that are about whole layers. */
export interface LayersOptions extends GlobalOptions {
  /** Unless told, all that there are. */
  readonly store?: readonly Layer[];
}

export function layersOption(): Option {
  return new Option("--store <layer>", "this layer alone; may be given several times")
    .choices(Object.keys(LAYERS)) // for the help and for completion: what it is checked by follows
    .argParser((text, before: readonly Layer[] = []): readonly Layer[] => {
      if (!isLayer(text)) throw new InvalidArgumentError(`It is one of ${Object.keys(LAYERS).join(", ")}.`);
      return [...before, text];
    });
}

export function isLayerChoice(text: string): text is LayerChoice {
  return Object.hasOwn(LAYER_CHOICES, text);
}

function isLayer(text: string): text is Layer {
  return Object.hasOwn(LAYERS, text);
}

export function dryRunOption(): Option {
  return new Option("--dry-run", "say what would be done, and do nothing").default(false);
}

/** The end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return ["", lines.length === 1 ? "Example:" : "Examples:", ...lines.map((line) => `  ${line}`)].join("\n");
}

// In milliseconds it has to fit a timer.
const MOST_SECONDS = 2_000_000;

function target(text: string): string {
  if (text === "") throw new InvalidArgumentError("It is empty: a variable that isn't set?");
  return text;
}

function tracePath(text: string): string {
  if (text !== "" && text !== "-") return text;
  throw new InvalidArgumentError("It is the path of a file: stdout is for the command's data.");
}

function seconds(text: string): number {
  const value = /^(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : 0;
  if (value > 0 && value <= MOST_SECONDS) return value;
  throw new InvalidArgumentError(`It is a number of seconds above 0, up to ${MOST_SECONDS}.`);
}

function baudRate(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError("It is a whole number above 0, such as 115200.");
}
