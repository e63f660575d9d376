/** `dl7450 ports`: what is plugged in. */
import type { Command } from "commander";
import { isDock } from "../discovery.js";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeJson, writeOut } from "./output.js";
import { table } from "./table.js";

export function addPorts(program: Command, context: Context): void {
  program
    .command("ports")
    .description("list the USB serial ports, and which of them may be docks")
    .addHelpText("after", examples("dl7450 ports", "dl7450 ports --json | jq -r '.[] | select(.dock) | .path'"))
    .action(async (_local: unknown, command: Command) => {
      await ports(context, command.optsWithGlobals<GlobalOptions>());
    });
}

async function ports(context: Context, options: GlobalOptions): Promise<void> {
  const found = await context.listPorts();
  if (found.length === 0) remark(context, options, "No USB serial port is plugged in.");
  if (options.json)
    return writeJson(
      context,
      found.map((port) => ({ ...port, dock: isDock(port) })),
    );
  const rows = found.map((port) => {
    const { path, vendorId, productId, serialNumber = "", manufacturer = "", product = "" } = port;
    return [path, isDock(port) ? "yes" : "no", `${vendorId}:${productId}`, serialNumber, manufacturer, product];
  });
  const titles = ["path", "dock", "usb", "serial", "manufacturer", "product"];
  await writeOut(
    context,
    await table(
      titles.map((title) => ({ title })),
      rows,
    ),
  );
}
