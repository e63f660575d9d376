/** Asks the terminal itself whether it draws sixel. */
import { CliError } from "../cli-error.js";
import type { Context, Input } from "../context.js";
import { writeOut } from "../output.js";

/** "Send device attributes" (VT510, DA1). */
const QUESTION = "\u001b[c";
const ANSWER_BEGINS = "\u001b[?";
/** Among the attributes of the answer. */
const SIXEL = "4";

/** Every terminal in use answers; one at the end of a slow line needs its time. In milliseconds. */
const PATIENCE = 500;
/** An answer is shorter: what was typed before may be any length, in characters. */
const KEPT = 1_000;

/** In raw mode what is typed comes as a byte. */
const CTRL_C = "\u0003";

/**
 * True when it says so; false when it says nothing, or isn't there. What has been typed before its answer is lost.
 * Fails with `ABORTED` on Ctrl-C, and with the signal's reason. The terminal is as before then, too.
 */
export async function drawsSixel(context: Context): Promise<boolean> {
  const terminal = context.stdin();
  if (terminal.isTTY !== true || terminal.setRawMode === undefined || context.stdout.isTTY !== true) return false;
  terminal.setRawMode(true); // or the answer would be shown, and come with the next line only
  try {
    await writeOut(context, QUESTION);
    return await answered(terminal, context);
  } finally {
    terminal.setRawMode(false);
    terminal.pause();
  }
}

function answered(terminal: Input, { clock, signal }: Context): Promise<boolean> {
  let text = "";
  return new Promise<boolean>((resolve, reject) => {
    const stop = clock.after(PATIENCE, () => settle(() => resolve(false)));
    const hear = (bytes: Uint8Array): void => {
      text = (text + Buffer.from(bytes).toString("latin1")).slice(-KEPT);
      const attributes = attributesIn(text);
      if (text.includes(CTRL_C)) settle(() => reject(new CliError("ABORTED", "interrupted")));
      else if (attributes !== undefined) settle(() => resolve(attributes.includes(SIXEL)));
    };
    const end = (): void => settle(() => resolve(false));
    const abort = (): void => settle(() => reject(signal.reason));
    function settle(then: () => void): void {
      stop();
      for (const event of ["end", "close", "error"]) terminal.off(event, end);
      terminal.off("data", hear);
      signal.removeEventListener("abort", abort);
      then();
    }
    for (const event of ["end", "close", "error"]) terminal.on(event, end);
    signal.addEventListener("abort", abort);
    if (signal.aborted) return abort();
    terminal.on("data", hear);
  });
}

/** `ESC [ ? 62 ; 4 ; 22 c`: first what it is, then what it can. Undefined as long as there is no whole answer. */
function attributesIn(text: string): readonly string[] | undefined {
  for (const part of text.split(ANSWER_BEGINS).slice(1)) {
    const answer = /^\d+(?:;\d+)*(?=c)/.exec(part);
    if (answer !== null) return answer[0].split(";").slice(1);
  }
  return undefined;
}
