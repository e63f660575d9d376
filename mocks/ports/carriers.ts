/** Processes that carry bytes between a mock and a terminal, so that neither has to wait while the other is at work. */
import { spawn } from "node:child_process";
import { Readable, Writable } from "node:stream";
import { onEnd } from "../lifetime.js";

/** The mock's ends of what is carried. */
export interface Carriers {
  /** What is written here goes to the terminal. */
  readonly input: Writable;
  /** What comes from the terminal. */
  readonly output: Readable;
}

/** A terminal that is open, as a file descriptor, or the path of one that the carriers open and make raw. */
export type Terminal = { readonly descriptor: number } | { readonly path: string };

/**
 * Carries bytes from descriptor 3 to the terminal, which is descriptor 1, and from there to descriptor 4. Descriptor 0 never gets a
 * byte: it ends when the mock does, however that ends, and then the whole group is killed, even a `cat` that waits for a reader.
 */
const CARRY = "cat <&1 >&4 3<&- & cat <&3 4>&- & exec 3<&- 4>&-; read nothing; kill -9 0";
/** Opens the terminal, whose path is $0, and says with a byte that it is open. */
const OPEN = 'exec 1<>"$0" && stty raw -echo -hupcl clocal <&1 && echo >&4 || exit 1;';

/**
 * Begins to carry. `gone` is called once, when one of the processes has ended, whoever ended it, or the terminal is gone; nothing is
 * left of them then. Where they have opened the terminal themselves, the first byte that comes is theirs.
 */
export function carry(terminal: Terminal, gone: () => void): Carriers {
  const [program, ends] =
    "path" in terminal
      ? ([
          [`${OPEN} ${CARRY}`, terminal.path],
          ["pipe", "ignore", "ignore", "pipe", "pipe"],
        ] as const)
      : ([[CARRY], ["pipe", terminal.descriptor, "ignore", "pipe", "pipe"]] as const);
  const child = spawn("/bin/sh", ["-c", ...program], { stdio: [...ends], detached: true }); // a group of its own, to be ended whole
  const [, , , input, output] = child.stdio;
  if (!(input instanceof Writable && output instanceof Readable)) throw new Error("a child with pipes has both ends");
  const end = (): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {} // they have ended already
  };
  const forget = onEnd(end);
  let isGone = false;
  const ended = (): void => {
    if (isGone) return;
    isGone = true;
    forget();
    end();
    gone();
  };
  child.on("exit", ended);
  child.on("error", ended); // it couldn't be started
  for (const it of [input, output]) it.on("close", ended).on("error", ended);
  return { input, output };
}
