/** A dock in a MicroPython of its own: modules that stand for the DL-7450's, and the application that runs on it. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  type FileSystem,
  loadMicroPython,
  type MicroPython,
} from "@micropython/micropython-webassembly-pyscript/micropython.mjs";
import { jsonValue, type Layer } from "../../protocol/index.js";
import type { DockModel } from "../dock.js";
import type { Line, Peer, Serve } from "../ports/port.js";
import { Blocks } from "./blocks.js";
import { type Screen, ScreenWatch, TYPE_NUMBERS } from "./screen.js";
import { Wire } from "./wire.js";

/** Bytes of Python's heap at first. */
const HEAP = 256 * 1024;

export interface Firmware {
  /** Whether it has what the SDK only announces: application data beside factory data, and writing. */
  readonly announced: boolean;
  /** Bytes of Python's heap at first; it grows. */
  readonly heap?: number;
  /** Called with what is on the screen, each time that it changes. */
  readonly onScreen?: (screen: Screen) => void;
}

/** A dock in MicroPython, before its application runs. */
export interface PythonDock {
  readonly python: MicroPython;
  readonly wire: Wire;
}

/** Starts a dock with the data of `dock` and runs `application` on it. Gives who answers on a line. Throws an Error when it fails. */
export async function startMicroPython(dock: DockModel, application: string, firmware: Firmware): Promise<Serve> {
  const { python, wire } = await prepareMicroPython(dock, firmware);
  python.runPython(application);
  return (line: Line): Peer => wire.connect(line);
}

/** The layers that application data, and factory data, are: in the order of the SDK's constants. */
const DATA: readonly Layer[] = ["factory", "runtime"];

export async function prepareMicroPython(dock: DockModel, firmware: Firmware): Promise<PythonDock> {
  const python = await loadMicroPython({ heapsize: firmware.heap ?? HEAP, stdout: say, stderr: say, linebuffer: true });
  const { FS: files } = python;
  files.mkdir("/modules");
  for (const [name, path] of modules()) files.writeFile(`/modules/${name}`, readFileSync(path));
  files.mkdir("/images");
  const described = DATA.slice(0, firmware.announced ? 2 : 1).map((store) => describe(dock, store, files));
  const wire = new Wire();
  replaceStandardStreams(files, wire);
  const timers = new Timers();
  const blocks = new Blocks(python._module);
  const screen = new ScreenWatch(firmware.onScreen ?? (() => {}));
  python.registerJsModule("_dock", {
    id: () => dock.id,
    announced: () => firmware.announced,
    described: () => JSON.stringify(described),
    allocate: (size: number) => blocks.allocate(size),
    release: (address: number, size: number) => blocks.release(address, size),
    begin: (task: () => void, first: number, every: number) => timers.begin(task, first, every),
    end: (timer: number) => timers.end(timer),
    show_background: (...background: Parameters<ScreenWatch["showBackground"]>) => screen.showBackground(...background),
    show_text: (text: string) => screen.showText(text),
    say,
  });
  python.runPython(BEGIN);
  return { python, wire };
}

/** What is printed goes to standard error: standard output is the line, and a write to it that had to wait would wait forever. */
const BEGIN = `
import builtins, sys
sys.path.insert(0, "/modules")
def _print(*all, sep=" ", **_):
    import _dock
    _dock.say(sep.join(str(it) for it in all))
builtins.print = _print
`;

function say(line: string): void {
  process.stderr.write(`micropython: ${line}\n`);
}

/** Writes a layer's images to files, and gives the rest of it as the Python modules take it. */
function describe(dock: DockModel, store: Layer, files: FileSystem): object {
  const images = dock.images(store).map(({ tag, type, bytes }, i) => {
    const path = `/images/${store}-${i}`;
    files.writeFile(path, bytes);
    return [tag, TYPE_NUMBERS[type], bytes.length, path];
  });
  return { images, keys: dock.keys(store).map(({ key, value }) => [key, jsonValue(value)]) };
}

/** As Emscripten numbers it. Python gets it as an OSError. */
const EIO = 29;

/** Makes `sys.stdin.buffer` and `sys.stdout.buffer` the line, as an integrator of the firmware may do. */
function replaceStandardStreams(files: FileSystem, wire: Wire): void {
  const device = files.makedev(64, 0);
  files.registerDevice(device, {
    read: (_, memory, offset, length) => {
      const read = wire.read(new Uint8Array(memory.buffer, memory.byteOffset + offset, length));
      if (read === "lost") throw new files.ErrnoError(EIO);
      return read;
    },
    write: (_, memory, offset, length) => wire.write(new Uint8Array(memory.buffer, memory.byteOffset + offset, length)),
  });
  files.mkdev("/line", 0o600, device);
  for (const [number, flags] of [
    [0, "r"],
    [1, "w"],
  ] as const) {
    files.closeStream(number);
    files.open("/line", flags); // takes the lowest number that is free
  }
}

/** The agent for real docks: what runs unless something else is to. */
export const AGENT = fileURLToPath(new URL("dock/datastore_agent.py", sources()));

/** Python files, by their names: those that stand for the dock's own, and the agent. */
function modules(): [string, string][] {
  const own = fileURLToPath(new URL("mocks/micropython/modules/", sources()));
  return [...readdirSync(own).map((name): [string, string] => [name, `${own}${name}`]), ["datastore_agent.py", AGENT]];
}

/** The package's folder: Python files lie in its sources, also where this file was compiled. */
function sources(): URL {
  return new URL(import.meta.url.includes("/dist/mocks/") ? "../../../" : "../../", import.meta.url);
}

/** The dock's `wakeup.Timer`: one task at a time. */
class Timers {
  readonly #running = new Map<number, NodeJS.Timeout>();
  #last = 0;

  begin(task: () => void, first: number, every: number): number {
    const number = ++this.#last;
    const run = (): void => {
      try {
        task();
      } catch (error) {
        say(String(error)); // as on a dock, the next one is called all the same
      }
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
