/** What could keep a dock from being used, looked at one after the other: from the machine to the quality of the line. */
import { DISPLAYLINK, type FoundPort, isDock, type PortInfo } from "../discovery.js";
import { DockError } from "../errors.js";
import type { Dock, DockErrorCode } from "../index.js";
import { printable, quoted, visible } from "../visible.js";

type CheckName =
  | "node"
  | "port"
  | "permission"
  | "holder"
  | "udev rules"
  | "ModemManager"
  | "handshake"
  | "round trip"
  | "line"
  | "features";

type Verdict = "ok" | "warning" | "failed" | "skipped";

/** What a check found. */
export interface Finding {
  readonly check: CheckName;
  readonly verdict: Verdict;
  /** On one line, safe to print. */
  readonly said: string;
  /** What to do, where something isn't right. */
  readonly advice?: string;
  /** Where it failed. */
  readonly code?: DockErrorCode;
}

/** What is asked of the machine, so that a test can be another one. */
export interface Machine {
  /** Such as `20.15.0`. */
  readonly nodeVersion: string;
  readonly platform: NodeJS.Platform;
  now(): number;
  findPorts(): Promise<readonly FoundPort[]>;
  /** Whether this user may read and write a device. */
  access(path: string): Promise<"allowed" | "forbidden" | "missing">;
  /** How to be let open it. */
  permissionHint(path: string): Promise<string>;
  /** Whether a program runs, as far as this user may see. */
  runs(program: string): Promise<boolean>;
  /** The texts of udev's rules. */
  udevRules(): Promise<readonly string[]>;
  /** Gives up. */
  readonly signal: AbortSignal;
}

/** What the target names, where that is a serial port. */
export type PortChoice =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "id"; readonly serialNumber: string }
  | { readonly kind: "only" }
  | { readonly kind: "none" };

/** The oldest Node that this runs on. */
const OLDEST_NODE = [20, 15] as const;

/** What can be found out without a dock. Never fails: what goes wrong is a finding. */
export async function* machineFindings(machine: Machine, choice: PortChoice): AsyncGenerator<Finding, void, undefined> {
  yield nodeFinding(machine.nodeVersion);
  const port = yield* findPort(machine, choice);
  yield* portFindings(machine, port);
  yield* systemFindings(machine);
}

/** What a dock shows that took `ms` milliseconds to open. What goes wrong is a finding; it fails only when the signal comes. */
export async function* dockFindings(machine: Machine, dock: Dock, ms: number): AsyncGenerator<Finding, void, undefined> {
  yield { check: "handshake", verdict: "ok", said: `${quoted(dock.name)} answered, open after ${Math.round(ms)} ms` };
  yield await guarded(machine, "round trip", () => roundTrip(machine, dock));
  yield await guarded(machine, "line", () => lineUnderLoad(machine, dock));
  yield featuresFinding(dock);
}

/** What is left to say where no dock could be opened. */
export function* withoutDock(error: unknown): Generator<Finding, void, undefined> {
  yield failed("handshake", error);
  for (const check of ["round trip", "line", "features"] as const) yield { check, verdict: "skipped", said: "no dock" };
}

function nodeFinding(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isOld = major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]);
  const said = `Node ${version}`;
  if (!isOld) return { check: "node", verdict: "ok", said };
  return { check: "node", verdict: "warning", said, advice: `It is made for Node ${OLDEST_NODE.join(".")} and newer.` };
}

/** A port of which USB says what it is, or of which only the path is known. */
type Port = FoundPort | { readonly path: string };

/** The serial port that is meant; undefined where there is none, or the target is another. */
async function* findPort(machine: Machine, choice: PortChoice): AsyncGenerator<Finding, Port | undefined> {
  if (choice.kind === "none") {
    yield { check: "port", verdict: "skipped", said: "the target is no serial port" };
    return undefined;
  }
  let ports: readonly FoundPort[];
  try {
    ports = await machine.findPorts();
  } catch (error) {
    yield { check: "port", verdict: "warning", said: `the ports can't be listed: ${messageOf(error)}` };
    return choice.kind === "path" ? choice : undefined;
  }
  const meant = ports.filter((port) => isMeant(port, choice));
  const [first] = meant;
  if (first !== undefined && meant.length === 1) {
    yield { check: "port", verdict: "ok", said: portText(first) };
    return first;
  }
  yield missing(choice, meant, ports);
  return choice.kind === "path" ? choice : undefined;
}

function isMeant(port: PortInfo, choice: Exclude<PortChoice, { kind: "none" }>): boolean {
  switch (choice.kind) {
    case "path":
      return port.path === choice.path;
    case "id":
      return port.serialNumber === choice.serialNumber;
    case "only":
      return isDock(port);
  }
}

function missing(choice: PortChoice, meant: readonly PortInfo[], ports: readonly PortInfo[]): Finding {
  if (meant.length > 1) {
    const said = `several ports: ${meant.map(portText).join("; ")}`;
    const advice = "Name the one that you mean, with --port and its path, or id:SERIAL where no other has the same.";
    return { check: "port", verdict: "failed", said, advice, code: "SEVERAL_DOCKS" };
  }
  const there = ports.length === 0 ? "no USB serial port is plugged in" : `plugged in: ${ports.map(portText).join("; ")}`;
  if (choice.kind === "path") {
    return { check: "port", verdict: "warning", said: `${visible(choice.path)} is no USB serial port; ${there}` };
  }
  const none = choice.kind === "id" ? `none with the serial number ${quoted(choice.serialNumber)}` : "no dock";
  const advice = "Is the cable one for data, is the dock powered? In a container or a VM the port has to be handed in.";
  return { check: "port", verdict: "failed", said: `${none}: ${there}`, advice, code: "NO_DOCK" };
}

function portText({ path, vendorId, productId, serialNumber, product }: PortInfo): string {
  const parts = [`USB ${vendorId}:${productId}`, ...(product === undefined ? [] : [visible(product)])];
  const serial = serialNumber === undefined ? "" : `, id:${visible(serialNumber)}`;
  return `${visible(path)} (${parts.join(", ")}${serial})`;
}

async function* portFindings(machine: Machine, port: Port | undefined): AsyncGenerator<Finding> {
  const access = port === undefined ? "missing" : await machine.access(port.path);
  if (port === undefined || access === "missing") {
    const said = port === undefined ? "no port" : `there is no ${visible(port.path)} here`;
    yield { check: "permission", verdict: "skipped", said };
    yield { check: "holder", verdict: "skipped", said };
    return;
  }
  yield await permissionFinding(machine, port.path, access);
  yield holderFinding(port);
}

async function permissionFinding(machine: Machine, path: string, access: "allowed" | "forbidden"): Promise<Finding> {
  if (access === "allowed") return { check: "permission", verdict: "ok", said: `you may open ${visible(path)}` };
  const advice = await machine.permissionHint(path);
  const said = `you may not open ${visible(path)}`;
  return { check: "permission", verdict: "failed", said, code: "PERMISSION", ...(advice === "" ? {} : { advice }) };
}

/** Nothing has failed yet: whether a port that somebody has open can be opened is seen when it is. */
function holderFinding(port: Port): Finding {
  if (!("vendorId" in port)) return { check: "holder", verdict: "skipped", said: "only seen of USB serial ports" };
  const { holder } = port;
  if (holder === undefined) return { check: "holder", verdict: "ok", said: "no other program is seen to have it open" };
  const said = `${visible(holder.program)} (process ${holder.pid}) has it open`;
  return { check: "holder", verdict: "warning", said, advice: "Close it, then try again." };
}

async function* systemFindings(machine: Machine): AsyncGenerator<Finding> {
  if (machine.platform !== "linux") {
    yield { check: "udev rules", verdict: "skipped", said: "only Linux has them" };
    yield { check: "ModemManager", verdict: "skipped", said: "only Linux has it" };
    return;
  }
  const rules = (await machine.udevRules()).flatMap(rulesIn).filter((rule) => rule.toLowerCase().includes(DISPLAYLINK));
  const keepsAway = rules.some((rule) => rule.includes("ID_MM_DEVICE_IGNORE"));
  if (rules.some(letsOpen)) yield { check: "udev rules", verdict: "ok", said: "there are rules for docks" };
  else {
    const advice = "`dl7450 udev` prints some, by which whoever is logged in may open docks.";
    yield { check: "udev rules", verdict: "warning", said: "there are none for docks", advice };
  }
  if (!(await machine.runs("ModemManager"))) yield { check: "ModemManager", verdict: "ok", said: "doesn't run" };
  else if (keepsAway) yield { check: "ModemManager", verdict: "ok", said: "runs, and leaves docks alone" };
  else {
    const advice = "It sends modem commands to docks that are plugged in. The rules of `dl7450 udev` keep it away.";
    yield { check: "ModemManager", verdict: "warning", said: "runs, and isn't told to leave docks alone", advice };
  }
}

/** The rules in a file, without comments (udev(7)). */
function rulesIn(text: string): string[] {
  return text
    .replaceAll("\\\n", " ")
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("#"));
}

/** Whether a rule says who may open a serial port. Those of systemd and of DisplayLink's driver are about the same vendor's displays. */
function letsOpen(rule: string): boolean {
  return /\btty/.test(rule) && /\buaccess\b|\b(MODE|GROUP|OWNER)\s*:?=[^=]/.test(rule);
}

async function guarded(machine: Machine, check: CheckName, look: () => Promise<Finding>): Promise<Finding> {
  try {
    return await look();
  } catch (error) {
    machine.signal.throwIfAborted();
    return failed(check, error);
  }
}

function failed(check: CheckName, error: unknown): Finding {
  return { check, verdict: "failed", said: messageOf(error), ...(error instanceof DockError ? { code: error.code } : {}) };
}

/** Questions that are timed. */
const QUESTIONS = 20;
/** A USB port answers in a millisecond, a UART at 115,200 bit/s in some 20. */
const SLOW = 100;

async function roundTrip(machine: Machine, dock: Dock): Promise<Finding> {
  const times: number[] = [];
  for (let i = 0; i < QUESTIONS; i++) {
    const begun = machine.now();
    await dock.info({ signal: machine.signal });
    times.push(machine.now() - begun);
  }
  times.sort((a, b) => a - b);
  const median = times[QUESTIONS / 2] ?? 0;
  const said = `${median.toFixed(1)} ms in the middle, ${(times.at(-1) ?? 0).toFixed(1)} ms at most, of ${QUESTIONS}`;
  if (median < SLOW) return { check: "round trip", verdict: "ok", said };
  return {
    check: "round trip",
    verdict: "warning",
    said,
    advice: "That is slow: is the dock's application busy, or the line?",
  };
}

/** How long the line is put to a load, in milliseconds. */
const LOAD = 1_000;

async function lineUnderLoad(machine: Machine, dock: Dock): Promise<Finding> {
  const images = (await dock.images.list({ signal: machine.signal })).sort((a, b) => b.size - a.size);
  const begun = machine.now();
  let bytes = 0;
  while (machine.now() - begun < LOAD) {
    const before = bytes;
    for (const { tag } of images) {
      for await (const chunk of dock.images.stream(tag, { signal: machine.signal })) {
        bytes += chunk.length;
        if (machine.now() - begun >= LOAD) break;
      }
      if (machine.now() - begun >= LOAD) break;
    }
    if (bytes === before) break; // nothing to read
  }
  const seconds = (machine.now() - begun) / 1_000;
  const { crc, cobs, oversize, noiseBytes, gaps, retries } = dock.link.counters;
  const lost = { "broken frames": crc + cobs + oversize, gaps, "requests sent again": retries, "bytes of noise": noiseBytes };
  const read =
    bytes === 0
      ? "there is no image to read"
      : `${(bytes / 1e6).toFixed(1)} MB of images read, ${(bytes / 1e6 / seconds).toFixed(1)} MB/s`;
  const troubles = Object.entries(lost).filter(([, count]) => count > 0);
  if (troubles.length === 0) return { check: "line", verdict: "ok", said: `${read}; nothing lost` };
  const said = `${read}; ${troubles.map(([what, count]) => `${count} ${what}`).join(", ")}`;
  const advice = "What was lost was sent again, so nothing is wrong with the data; another cable, hub or speed may be faster.";
  return { check: "line", verdict: "warning", said, advice };
}

/** What the features are for, in the words of who misses them. */
const MISSED: readonly [feature: string, what: string][] = [
  ["stores", "layers can't be named"],
  ["write.runtime", "runtime can't be written"],
  ["write.factory", "factory can't be written (rom push)"],
  ["txn", "several writes can't be one (snapshot restore, rom push, kv import)"],
  ["restart", "it can't be restarted"],
  ["reset", "it can't be reset"],
  ["code", "its code can't be compared (rom verify)"],
];

function featuresFinding({ features }: Dock): Finding {
  const lacking = MISSED.filter(([feature]) => !features.includes(feature)).map(([, what]) => what);
  const said = features.length === 0 ? "none" : features.map(visible).join(", ");
  return { check: "features", verdict: "ok", said: lacking.length === 0 ? said : `${said}; without: ${lacking.join(", ")}` };
}

function messageOf(error: unknown): string {
  return printable(error instanceof Error ? error.message : String(error));
}
