/** The USB cables of the VM that `vm.sh` boots: pulled and plugged by way of the kernel's gadget. */
import { open, readFile, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { listPorts } from "../../src/discovery.js";

/**
 * Longest time until the host has seen a plug go in or out, in milliseconds, and how often it is looked. A kernel that couldn't make out what was
 * plugged in gives up after some tries, and looks again at the next plug.
 */
const SEEN = { most: 10_000, every: 10, tries: 3 };

export class Cable {
  /** What the dock's end of the cable is opened as, by the dock. */
  readonly dockEnd: string;
  readonly serialNumber: string;
  readonly #plug: string;
  readonly #controller: string;

  /** @param number 0 or 1: there are two */
  constructor(number: 0 | 1) {
    this.dockEnd = `/dev/ttyGS${number}`;
    this.serialNumber = ["RW02-0005", "RW02-0006"][number] ?? "";
    this.#plug = `/sys/kernel/config/usb_gadget/dock${number}/UDC`;
    this.#controller = `dummy_udc.${number}`;
  }

  /** Pulls it, and waits until the host has seen that. */
  async unplug(): Promise<void> {
    await writeFile(this.#plug, "\n");
    await until(async () => (await this.#hostEnd()) === undefined);
  }

  /** Plugs it in, unless it is, and gives the host's end once the host can open it. */
  async plug(): Promise<string> {
    for (let tries = 1; ; tries++) {
      if ((await readFile(this.#plug, "utf8")).trim() === "") await this.plugIn();
      try {
        return await this.hostEnd();
      } catch (error) {
        if (tries === SEEN.tries) throw error;
        await writeFile(this.#plug, "\n");
      }
    }
  }

  /** Plugs it in, without waiting for the host. */
  async plugIn(): Promise<void> {
    await writeFile(this.#plug, this.#controller);
  }

  /** Pulls it for so many milliseconds and puts it back, whatever the host has seen of that. */
  async flick(out: number): Promise<void> {
    await writeFile(this.#plug, "\n");
    await setTimeout(out);
    await this.plugIn();
  }

  /** Where the host finds it now. */
  async hostEnd(): Promise<string> {
    let path: string | undefined;
    await until(async () => {
      path = await this.#hostEnd();
      return path !== undefined && (await canBeOpened(path));
    });
    return path ?? "";
  }

  async #hostEnd(): Promise<string | undefined> {
    return (await listPorts()).find((port) => port.serialNumber === this.serialNumber)?.path;
  }
}

async function canBeOpened(path: string): Promise<boolean> {
  try {
    await (await open(path, "r+")).close();
    return true;
  } catch {
    return false;
  }
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + SEEN.most;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("the kernel hasn't seen the cable");
    await setTimeout(SEEN.every);
  }
}
