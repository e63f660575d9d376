/** `dl7450 rom payload`: a config as the JSON that the vendor's REST call takes, for docks that aren't on a cable. */
import { type Command, InvalidArgumentError } from "commander";
import type { Context } from "./context.js";
import { examples, type GlobalOptions } from "./options.js";
import { remark, writeOut } from "./output.js";
import { goodConfig } from "./rom-check.js";

interface RomPayloadOptions extends GlobalOptions {
  /** Hexadecimal. */
  readonly dockId?: string;
}

export function addRomPayload(rom: Command, context: Context): void {
  rom
    .command("payload")
    .description("print the JSON that the vendor's REST call takes for a config; nothing is sent")
    .argument("<config>", "the YAML file that the vendor's provisioning script takes; it is checked first")
    .option(
      "--dock-id <hex>",
      "the dock that it is for, 64 hexadecimal digits, which `dl7450 info` tells; else it has no dockId",
      dockId,
    )
    .addHelpText("after", PAYLOAD_HELP)
    .addHelpText("after", examples("dl7450 rom payload config.yaml > payload.json"))
    .action(async (file: string, _local: unknown, command: Command) => {
      await romPayload(context, file, command.optsWithGlobals<RomPayloadOptions>());
    });
}

const PAYLOAD_HELP = `
The shape is the one that the SDK's documentation and its script have for
POST https://sandbox.vision.synaptics.com/api/docks/application/romstore, where an access
token goes into the Authorization header. Known from there only: this program has never
sent one. A config without code, images or keys gets empty ones, as the script does it;
the call replaces the whole store with them.`;

function dockId(text: string): string {
  if (/^[\da-f]{64}$/i.test(text)) return text;
  throw new InvalidArgumentError("It is 64 hexadecimal digits.");
}

async function romPayload(context: Context, file: string, options: RomPayloadOptions): Promise<void> {
  const config = await goodConfig(context, file, options);
  if (options.dockId === undefined)
    remark(context, options, "It has no dockId: give --dock-id, or put it in before it is sent.");
  const { payload } = await import("../rom/payload.js");
  for await (const part of payload(config, { dockId: options.dockId, signal: context.signal })) {
    await writeOut(context, part);
  }
}
