/** `dl7450 udev`: prints what udev should know of docks. */
import type { Command } from "commander";
import { DISPLAYLINK } from "../discovery.js";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { writeJson, writeOut } from "./output.js";

/** Before 73-seat-late.rules, which gives what is tagged `uaccess` to who sits at the machine. */
const FILE = "/etc/udev/rules.d/60-dl7450.rules";

/** ID_MM_DEVICE_IGNORE: ModemManager's "Common udev tags". */
const RULES = `# Serial ports of DisplayLink docks: who sits at the machine, and the group dialout, may open them, and ModemManager, which would
# send them modem commands when they are plugged in, leaves them alone.
SUBSYSTEM=="tty", ATTRS{idVendor}=="${DISPLAYLINK}", GROUP="dialout", MODE="0660", TAG+="uaccess", ENV{ID_MM_DEVICE_IGNORE}="1"
`;

export function addUdev(program: Command, context: Context): void {
  program
    .command("udev")
    .description("print the rules that let you open docks on Linux, and keep ModemManager away from them")
    .addHelpText("after", examples(`dl7450 udev | sudo tee ${FILE}`, "sudo udevadm control --reload && sudo udevadm trigger"))
    .action(async (_local: unknown, command: Command) => {
      const options = command.optsWithGlobals<GlobalOptions>();
      await (options.json ? writeJson(context, { file: FILE, rules: RULES }) : writeOut(context, RULES));
    });
}
