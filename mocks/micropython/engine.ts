/** A dock whose side of the line is the agent for real docks, `dock/datastore_agent.py`, in a MicroPython of its own. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadMicroPython, type MicroPython } from "@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { type ImageType, jsonValue } from "../../protocol/index.js";
import type { DockModel } from "../dock.js";
import type { Line, Peer, Serve } from "../ports/port.js";

/** The constants of the `image` module. */
const TYPES: Readonly<Record<ImageType, number>> = { none: 0, png: 1, bmp: 2, jpeg: 3 };
/** Bytes of Python's heap at first. */
const HEAP = 256 * 1024;
/** Bytes that may wait to be read: what a host that keeps to the agent's window sends, many times over. */
const MOST_WAITING = 1024 * 1024;

/** Runs as a dock's application: what its integrator would write. */
const APPLICATION = `
import wakeup
from datastore_agent import Agent
line = open("/line", "r+b")
agent = Agent(line, line, model="DL-7450 mock")
timer = wakeup.Timer(agent.poll, 0, Agent.EVERY_MS)
`;

/** Starts MicroPython with the agent and the factory data of `dock`. Gives who answers on a line: one agent, whoever is connected. */
export async function startMicroPython(dock: DockModel): Promise<Serve> {
  const { python, wire } = await prepareMicroPython(dock);
  python.runPython(APPLICATION);
  return (line) => wire.connect(line);
}

/** MicroPython with what a dock has, before its application runs. */
export async function prepareMicroPython(dock: DockModel): Promise<{ readonly python: MicroPython; readonly wire: Wire }> {
  const say = (line: string): void => void process.stderr.write(`micropython: ${line}\n`);
  const python = await loadMicroPython({ heapsize: HEAP, stdout: say, stderr: say, linebuffer: true });
  const { FS: files } = python;
  const wire = new Wire();
  files.mkdir("/modules");
  for (const [name, path] of modules()) files.writeFile(`/modules/${name}`, readFileSync(path));
  const images = dock.images("factory");
  files.mkdir("/images");
  for (const [i, { bytes }] of images.entries()) files.writeFile(`/images/${i}`, bytes);
  const device = files.makedev(64, 0);
  files.registerDevice(device, {
    read: (_, memory, offset, length) => wire.read(new Uint8Array(memory.buffer, memory.byteOffset + offset, length)),
    write: (_, memory, offset, length) => wire.write(new Uint8Array(memory.buffer, memory.byteOffset + offset, length)),
  });
  files.mkdev("/line", 0o600, device);
  const described = JSON.stringify({
    images: images.map(({ tag, type, bytes }) => [tag, TYPES[type], bytes.length]),
    keys: dock.keys("factory").map(({ key, value }) => [key, jsonValue(value)]),
  });
  const timers = new Timers();
  python.registerJsModule("_dock", {
    id: () => dock.id,
    described: () => described,
    allocate: (bytes: number) => python._module._malloc(bytes),
    begin: (task: () => void, first: number, every: number) => timers.begin(task, first, every),
    end: (timer: number) => timers.end(timer),
  });
  python.runPython('import sys\nsys.path.insert(0, "/modules")');
  return { python, wire };
}

/** Python files, by their names: those that stand for the dock's own, and the agent. They lie in the package's sources. */
function modules(): [string, string][] {
  const root = new URL(import.meta.url.includes("/dist/mocks/") ? "../../../" : "../../", import.meta.url);
  const own = fileURLToPath(new URL("mocks/micropython/modules/", root));
  const agent = fileURLToPath(new URL("dock/datastore_agent.py", root));
  return [...readdirSync(own).map((name): [string, string] => [name, `${own}${name}`]), ["datastore_agent.py", agent]];
}

/** What the agent reads and writes: the line of whoever is connected. */
class Wire {
  #line: Line | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;

  connect(line: Line): Peer {
    this.#line = line;
    this.#clear();
    return {
      receive: (bytes) => {
        if (this.#line !== line || this.#waitingBytes > MOST_WAITING) return; // as a line that overflows
        this.#waiting.push(Uint8Array.from(bytes));
        this.#waitingBytes += bytes.length;
      },
      drained: () => {},
      hangUp: () => {
        if (this.#line !== line) return;
        this.#line = undefined;
        this.#clear();
      },
    };
  }

  read(into: Uint8Array): number {
    let count = 0;
    for (let first = this.#waiting[0]; first !== undefined && count < into.length; first = this.#waiting[0]) {
      const taken = first.subarray(0, into.length - count);
      into.set(taken, count);
      count += taken.length;
      if (taken.length === first.length) this.#waiting.shift();
      else this.#waiting[0] = first.subarray(taken.length);
    }
    this.#waitingBytes -= count;
    return count;
  }

  write(bytes: Uint8Array): number {
    if (this.#line === undefined) return bytes.length; // nobody hears it
    if (this.#line.isFull()) return 0;
    this.#line.send(Uint8Array.from(bytes)); // a copy: the memory is Python's
    return bytes.length;
  }

  #clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
  }
}

/** The dock's `wakeup.Timer`: one task at a time. */
class Timers {
  readonly #running = new Map<number, NodeJS.Timeout>();
  #last = 0;

  begin(task: () => void, first: number, every: number): number {
    const number = ++this.#last;
    const run = (): void => {
      task();
      if (every > 0 && this.#running.has(number)) this.#running.set(number, setTimeout(run, every));
      else this.#running.delete(number);
    };
    this.#running.set(number, setTimeout(run, first));
    return number;
  }

  end(number: number): void {
    clearTimeout(this.#running.get(number));
    this.#running.delete(number);
  }
}
