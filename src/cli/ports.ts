/** `dl7450 ports`: what is plugged in, and what is plugged in and pulled. */
import type { Command } from "commander";
import { isDock, type PortInfo } from "../discovery.js";
import type { Holder } from "../holder.js";
import { jsonText } from "../json-text.js";
import { visible } from "../visible.js";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeJson, writeOut } from "./output.js";
import { writeTable } from "./table.js";

interface PortsOptions extends GlobalOptions {
  readonly watch?: boolean;
}

export function addPorts(program: Command, context: Context): void {
  program
    .command("ports")
    .description("list the USB serial ports: which of them may be docks, and who has them open")
    .option("--watch", "go on: a line for each port that is there, is plugged in or is pulled; with --json an object a line")
    .addHelpText(
      "after",
      examples("dl7450 ports", "dl7450 ports --watch", "dl7450 ports --json | jq -r '.[] | select(.dock) | .path'"),
    )
    .action(async (_local: unknown, command: Command) => {
      const options = command.optsWithGlobals<PortsOptions>();
      await (options.watch ? watch(context, options) : ports(context, options));
    });
}

async function ports(context: Context, options: GlobalOptions): Promise<void> {
  const found = await context.findPorts();
  if (found.length === 0) remark(context, options, "No USB serial port is plugged in.");
  if (options.json)
    return writeJson(
      context,
      found.map((port) => ({ ...port, dock: isDock(port) })),
    );
  const titles = ["path", "dock", "usb", "serial", "manufacturer", "product", "open in"];
  await writeTable(
    context,
    titles.map((title) => ({ title })),
    found.map((port) => [...cells(port), holderText(port.holder)]),
  );
}

async function watch(context: Context, options: GlobalOptions): Promise<void> {
  remark(context, options, "Watching the USB serial ports, until Ctrl-C.");
  for await (const { kind, port } of context.watchPorts({ signal: context.signal })) {
    const line = options.json
      ? jsonText({ kind, port: { ...port, dock: isDock(port) } })
      : [kind.padEnd("unplugged".length), ...cells(port).map((cell) => visible(cell) || "-")].join("  ");
    await writeOut(context, `${line}\n`);
  }
}

function cells(port: PortInfo): string[] {
  const { path, vendorId, productId, serialNumber = "", manufacturer = "", product = "" } = port;
  return [path, isDock(port) ? "yes" : "no", `${vendorId}:${productId}`, serialNumber, manufacturer, product];
}

function holderText(holder: Holder | undefined): string {
  return holder === undefined ? "" : `${holder.program} (${holder.pid})`;
}
