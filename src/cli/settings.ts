/** Where the value of an option comes from: a flag, the environment, a file of the project, a file of the user, in this order. */
import { type Command, InvalidArgumentError, type Option } from "commander";
import { quoted } from "../visible.js";
import { CliError } from "./cli-error.js";
import type { Context } from "./context.js";

/** What may be set elsewhere than by a flag. The variable of the environment is `DL7450_` and the name in capitals. */
const SETTINGS = ["port", "timeout", "baud", "dtr", "rts", "quiet"] as const;
type Setting = (typeof SETTINGS)[number];

type SettingValue = string | number | boolean;

/** Where a value comes from. */
export type Origin =
  | { readonly kind: "flag" }
  | { readonly kind: "environment"; readonly variable: string }
  | { readonly kind: "file"; readonly file: string }
  | { readonly kind: "default" };

export interface Settled {
  readonly setting: Setting;
  /** Absent where the default isn't a value: the one dock that is plugged in, the driver's own times. */
  readonly value?: SettingValue;
  readonly from: Origin;
}

/** A file of settings, as in `{ "port": "id:RW02-0005", "timeout": 20 }`. */
export const FILE_NAME = "dl7450.config.json";

/** Finds out what holds, and where it comes from. Fails with `USAGE` where a value can't be one. */
export async function settle(program: Command, { env, settingsFiles }: Context): Promise<Settled[]> {
  const files: { readonly file: string; readonly values: ReadonlyMap<string, unknown> }[] = [];
  for (const file of await settingsFiles()) files.push({ file, values: await valuesIn(file) });
  return SETTINGS.map((setting) => {
    const option = optionOf(program, setting);
    const flag: unknown = program.getOptionValue(setting);
    if (program.getOptionValueSource(setting) === "cli" && isValue(flag)) {
      return { setting, value: flag, from: { kind: "flag" } };
    }
    const variable = `DL7450_${setting.toUpperCase()}`;
    const inEnvironment = env[variable];
    if (inEnvironment !== undefined && inEnvironment !== "") {
      return { setting, value: parsed(option, inEnvironment, variable), from: { kind: "environment", variable } };
    }
    const found = files.find(({ values }) => values.has(setting));
    if (found === undefined) {
      const usual: unknown = option.defaultValue;
      return { setting, ...(isValue(usual) ? { value: usual } : {}), from: { kind: "default" } };
    }
    const { file, values } = found;
    return { setting, value: parsed(option, values.get(setting), `${file}: ${setting}`), from: { kind: "file", file } };
  });
}

/** Has every command begin with the settings that hold. */
export function addSettings(program: Command, context: Context): void {
  program.hook("preAction", () => beginWithSettings(program, context));
}

/** Gives the options of the program that no flag has set the settings that hold. Fails with `USAGE`. */
export async function beginWithSettings(program: Command, context: Context): Promise<void> {
  const settled = await settle(program, context);
  const target = settled.find(({ setting }) => setting === "port")?.value ?? "";
  const isSerial = !/^(tcp|mock):/.test(String(target));
  for (const { setting, value, from } of settled) {
    // What is set for the ports of a bench isn't asked of what has no such lines.
    if ((setting === "dtr" || setting === "rts") && !isSerial) continue;
    if (from.kind === "environment" || from.kind === "file") program.setOptionValueWithSource(setting, value, "config");
  }
}

function optionOf(program: Command, setting: Setting): Option {
  const option = program.options.find((it) => it.attributeName() === setting);
  if (option === undefined) throw new Error(`there is no option --${setting}`);
  return option;
}

function isValue(it: unknown): it is SettingValue {
  return typeof it === "string" || typeof it === "number" || typeof it === "boolean";
}

const YES_OR_NO: ReadonlyMap<string, boolean> = new Map([
  ...["1", "true", "yes", "on"].map((text) => [text, true] as const),
  ...["0", "false", "no", "off"].map((text) => [text, false] as const),
]);

/** The value as the option takes it; `place` is where it was found. */
function parsed(option: Option, found: unknown, place: string): SettingValue {
  const text = isValue(found) ? String(found) : undefined;
  try {
    if (text === undefined) throw new InvalidArgumentError("It is text, a number, true or false.");
    const value: unknown = option.isBoolean() || option.negate ? yesOrNo(text) : (option.parseArg?.(text, undefined) ?? text);
    if (isValue(value)) return value;
    throw new Error(`--${option.name()} has a value of another kind`);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new CliError("USAGE", `${place}: ${quoted(text ?? typeof found)} can't be its value. ${error.message}`, error);
  }
}

function yesOrNo(text: string): boolean {
  const value = YES_OR_NO.get(text.toLowerCase());
  if (value === undefined) throw new InvalidArgumentError("It is on or off.");
  return value;
}

/** The largest file of settings that is read, in bytes: a wrong one may be anything. */
const LARGEST_FILE = 64 * 1024;

async function valuesIn(file: string): Promise<ReadonlyMap<string, unknown>> {
  const { readRegularFile } = await import("../regular-file.js"); // not where there is none
  const values = new Map<string, unknown>();
  try {
    const read = await readRegularFile(file, LARGEST_FILE, undefined);
    if (read.kind !== "bytes") throw new Error(read.why);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(read.bytes);
    const json: unknown = JSON.parse(text);
    if (typeof json !== "object" || json === null || Array.isArray(json)) throw new Error("it isn't an object of settings");
    for (const [name, value] of Object.entries(json)) {
      if (!isSetting(name)) throw new Error(`there is no setting ${quoted(name)}, only ${SETTINGS.join(", ")}`);
      values.set(name, value);
    }
    return values;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CliError("USAGE", `The settings in ${file} can't be read: ${why}.`, cause);
  }
}

function isSetting(name: string): name is Setting {
  return SETTINGS.some((setting) => setting === name);
}
