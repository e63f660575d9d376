/** What a word may be that isn't in the program: the tags and keys of a dock, the ports that are plugged in. */
import type { Command } from "commander";
import type { Context } from "../context.js";
import { withDock } from "../open-dock.js";
import { type GlobalOptions, isLayerChoice } from "../options.js";
import { beginWithSettings } from "../settings.js";
import type { AtCursor, Candidate, Given } from "./at-cursor.js";

/** The words that are wanted. Fails where the dock or the ports can't be asked; for as long as it takes, unless the signal comes. */
export async function candidatesFor(program: Command, context: Context, at: AtCursor): Promise<readonly Candidate[]> {
  const { signal } = context;
  const { wanted, store: layer } = at;
  const store = layer === undefined || !isLayerChoice(layer) ? undefined : layer;
  switch (wanted.kind) {
    case "words":
      return wanted.words;
    case "files":
      return []; // the shell knows
    case "ports":
      return [...MOCKS, ...(await ports(context))];
    case "tags": {
      const options = await optionsOn(program, context, at.given);
      const images = await withDock(context, options, (dock) => dock.images.list({ store, signal }));
      return images.map(({ tag, type, size, store }) => ({ text: tag, description: `${type}, ${size} bytes, ${store}` }));
    }
    case "keys": {
      const options = await optionsOn(program, context, at.given);
      const keys = await withDock(context, options, (dock) => dock.kv.list({ store, signal }));
      return keys.map(({ key, store }) => ({ text: key, description: store }));
    }
  }
}

/** The options that a command on that line would get. Fails with commander's `InvalidArgumentError`, or with `USAGE`. */
async function optionsOn(program: Command, context: Context, given: readonly Given[]): Promise<GlobalOptions> {
  for (const { option, value } of given) {
    const parsed: unknown =
      option.isBoolean() || option.negate ? !option.negate : (option.parseArg?.(value, undefined) ?? value);
    program.setOptionValueWithSource(option.attributeName(), parsed, "cli");
  }
  await beginWithSettings(program, context);
  return program.opts<GlobalOptions>();
}

const MOCKS: readonly Candidate[] = [
  { text: "mock:", description: "a mock dock of its own" },
  { text: "mock:preview", description: "one that can only be read" },
  { text: "mock:development", description: "one whose factory data can be written" },
  { text: "mock:micropython", description: "the agent for real docks, in MicroPython" },
];

async function ports({ findPorts }: Context): Promise<Candidate[]> {
  const found = await findPorts().catch(() => []); // where they can't be listed there are mock docks still
  return found.flatMap(({ path, vendorId, productId, serialNumber, product }) => {
    const description = product ?? `USB ${vendorId}:${productId}`;
    const byPath = { text: path, description };
    return serialNumber === undefined ? [byPath] : [byPath, { text: `id:${serialNumber}`, description }];
  });
}
