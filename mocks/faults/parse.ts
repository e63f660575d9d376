/** The kinds of faults that there are, how a text such as `drop:rate=0.01,way=toHost` names one, and faults out of scripts. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import * as v from "valibot";
import type { Fault } from "../faults.js";
import type { Random } from "../random.js";
import * as dock from "./dock.js";
import { lie } from "./lie.js";
import * as line from "./line.js";
import { type FaultOptions, faultOptions, isOptionKey, OPTIONS, type OptionKey } from "./options.js";

interface Kind {
  readonly make: line.MakeFault;
  /** What goes wrong, and, where that isn't said by it, at which chance. */
  readonly what: string;
  readonly keys: readonly OptionKey[];
  /** What holds where nothing else is given. */
  readonly usual: FaultOptions;
}

const MOMENTS = ["rate", "every", "at"] as const;
/** The keys of what happens now and then. */
const when = [...MOMENTS, "times"] as const;
const onWay = [...when, "way"] as const;

/** Every kind with its keys and their usual values. */
const KINDS: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  // On the line.
  ["drop", { make: line.drop, what: "bytes get lost", keys: onWay, usual: { rate: 0.00001 } }],
  ["flip", { make: line.flip, what: "one bit of a byte is another", keys: onWay, usual: { rate: 0.00001 } }],
  ["insert", { make: line.insert, what: "a random byte follows a byte", keys: onWay, usual: { rate: 0.00001 } }],
  [
    "duplicate",
    {
      make: line.duplicate,
      what: "bytes, or with frames whole frames, come twice",
      keys: [...onWay, "frames"],
      usual: { rate: 0.00001 },
    },
  ],
  ["truncate", { make: line.truncate, what: "frames lose their end", keys: onWay, usual: { rate: 0.01 } }],
  ["merge", { make: line.merge, what: "what delimits two frames gets lost", keys: onWay, usual: { rate: 0.01 } }],
  ["reorder", { make: line.reorder, what: "frames are overtaken by the next one", keys: onWay, usual: { rate: 0.01 } }],
  ["text", { make: line.text, what: "console text comes before a frame", keys: onWay, usual: { rate: 0.1, way: "toHost" } }],
  ["delay", { make: line.delay, what: "all bytes take so long", keys: ["ms", "way"], usual: { ms: 20 } }],
  ["rate", { make: line.rate, what: "all bytes go at so many a second", keys: ["bytes", "way"], usual: { bytes: 11_520 } }],
  [
    "stall",
    { make: line.stall, what: "at a byte: the line stands still", keys: [...onWay, "ms"], usual: { every: 1e5, ms: 1000 } },
  ],
  ["echo", { make: line.echo, what: "what the host sends also comes back to it", keys: [], usual: {} }],
  ["cut", { make: line.cut, what: "after a byte: the line is cut", keys: [...onWay, "back"], usual: { every: 1e6 } }],
  // In the dock.
  [
    "restart",
    {
      make: dock.restart,
      what: "at a byte of image data, or another message: the dock is away for so long, and starts again",
      keys: [...onWay, "ms"],
      usual: { every: 1e6, ms: 0 },
    },
  ],
  ["slow", { make: dock.slow, what: "requests wait to be carried out", keys: [...when, "ms"], usual: { rate: 1, ms: 500 } }],
  ["busy", { make: dock.busy, what: "requests are refused with BUSY", keys: when, usual: { rate: 0.1 } }],
  ["full", { make: dock.full, what: "kv.set and image.put are refused with NO_SPACE", keys: when, usual: { rate: 0.1 } }],
  ["forget", { make: dock.forget, what: "at a message: the dock forgets its session", keys: when, usual: { rate: 0.01 } }],
  [
    "replace",
    {
      make: dock.replace,
      what: "at a data message: the image, in runtime or ephemeral, is replaced by another",
      keys: when,
      usual: { rate: 0.05 },
    },
  ],
  ["lie", { make: lie, what: "a field of a message says something else", keys: [...when, "field"], usual: { rate: 0.05 } }],
]);

/** What there is, for people. */
export const FAULT_HELP: string = [
  "Faults, each named KIND or KIND:KEY=VALUE,KEY=VALUE, with the keys of each kind and what they usually are:",
  ...[...KINDS].map(([name, kind]) => `  ${name.padEnd(9)}  ${kind.what}${keysOf(kind)}`),
  "Their keys:",
  ...Object.entries(OPTIONS).map(([key, what]) => `  ${key.padEnd(9)}  ${what}`),
].join("\n");

/** Makes the fault that a text names. Throws an Error that says what there is when there is no such one. */
export function parseFault(text: string, random: Random): Fault {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const kind = KINDS.get(name);
  if (kind === undefined) throw new Error(`no fault ${JSON.stringify(name)}: there are ${[...KINDS.keys()].join(", ")}`);
  const given = readKeys(name, kind, colon < 0 ? [] : text.slice(colon + 1).split(","));
  const { rate, every, at, ...others } = kind.usual;
  const hasMoment = MOMENTS.some((key) => given[key] !== undefined);
  return kind.make({ ...(hasMoment ? others : kind.usual), ...given }, random);
}

/** Loads the faults that a script makes: an ES module whose default export is `(random) => Fault | Fault[]`. */
export async function loadFault(path: string, random: Random): Promise<readonly Fault[]> {
  const script: { readonly default?: unknown } = await import(pathToFileURL(resolve(path)).href);
  if (typeof script.default !== "function") throw new Error(`${path} has no function as its default export`);
  const made: unknown = script.default(random);
  const faults: readonly unknown[] = Array.isArray(made) ? made : [made];
  return faults.map((it) => {
    if (isFault(it)) return it;
    throw new Error(
      `${path} gives something that is no fault: it has a kind, a text, and may have the methods ${HOOKS.join(", ")}`,
    );
  });
}

const HOOKS = ["carry", "carryFrame", "hear", "say", "leaveLine", "leaveDock"] as const;

function isFault(it: unknown): it is Fault {
  if (typeof it !== "object" || it === null || !("kind" in it) || typeof it.kind !== "string") return false;
  return HOOKS.every((hook) => ["undefined", "function"].includes(typeof Reflect.get(it, hook)));
}

function readKeys(name: string, kind: Kind, parts: readonly string[]): FaultOptions {
  const texts = new Map<OptionKey, string>();
  for (const part of parts) {
    const [key = "", ...value] = part.split("=");
    if (!isOptionKey(key) || !kind.keys.includes(key)) {
      throw new Error(`the fault ${name} has no key ${JSON.stringify(key)}; it has ${kind.keys.join(", ") || "none"}`);
    }
    if (texts.has(key)) throw new Error(`the fault ${name} is given ${key} twice`);
    texts.set(key, value.join("="));
  }
  const moments = MOMENTS.filter((key) => texts.has(key));
  if (moments.length > 1) throw new Error(`the fault ${name} is given ${moments.join(" and ")}, of which it takes one`);
  const read = v.safeParse(faultOptions, Object.fromEntries(texts));
  if (read.success) return read.output;
  const wrong = v.getDotPath(read.issues[0]) ?? "";
  const help = isOptionKey(wrong) ? ` (${OPTIONS[wrong]})` : "";
  throw new Error(`the fault ${name} can't have ${wrong}=${isOptionKey(wrong) ? texts.get(wrong) : ""}${help}`);
}

function keysOf({ keys, usual }: Kind): string {
  if (keys.length === 0) return "";
  return ` (${keys.map((key) => (usual[key] === undefined ? key : `${key}=${usual[key]}`)).join(", ")})`;
}
