/** `dl7450 ls`: images and keys together, in all layers. */
import type { Command } from "commander";
import type { Dock, ImageEntry, KeyEntry, LayerChoice } from "../index.js";
import type { Context } from "./context.js";
import { withDock } from "./open-dock.js";
import { examples, type StoreOptions, storeOption } from "./options.js";
import { remark, writeJson } from "./output.js";
import { writeTable } from "./table.js";

export function addLs(program: Command, context: Context): void {
  program
    .command("ls")
    .description("list images and keys, in every layer that the dock lets see")
    .addOption(storeOption())
    .addHelpText("after", examples("dl7450 ls", "dl7450 ls --store runtime --json"))
    .action(async (_local: unknown, command: Command) => {
      await ls(context, command.optsWithGlobals<StoreOptions>());
    });
}

/** An entry of a list; shadowed when a layer earlier in the lookup order answers for its name. */
type Marked<Entry> = Entry & { readonly shadowed: boolean };

interface Listing {
  readonly images: readonly Marked<ImageEntry>[];
  readonly keys: readonly Marked<KeyEntry>[];
}

async function ls(context: Context, options: StoreOptions): Promise<void> {
  const listing = await withDock(context, options, (dock) => listingOf(dock, options.store, context.signal));
  if (options.json) return writeJson(context, listing);
  if (listing.images.length + listing.keys.length === 0) remark(context, options, "There are no images and no keys.");
  await writeListing(context, listing);
}

async function listingOf(dock: Dock, store: LayerChoice | undefined, signal: AbortSignal): Promise<Listing> {
  const layers = layersToSee(dock, store);
  const images = await marked(
    layers,
    (layer) => dock.images.list({ store: layer, signal }),
    ({ tag }) => tag,
  );
  const keys = await marked(
    layers,
    (layer) => dock.kv.list({ store: layer, signal }),
    ({ key }) => key,
  );
  return { images, keys };
}

/** Undefined is what the dock lists by itself: the entries that answer. */
function layersToSee(dock: Dock, store: LayerChoice | undefined): readonly (LayerChoice | undefined)[] {
  if (store !== undefined) return [store];
  return dock.features.includes("stores") ? dock.stores : [undefined];
}

/** The entries of the layers, ordered by name, the one that answers first. */
async function marked<Entry extends ImageEntry | KeyEntry>(
  layers: readonly (LayerChoice | undefined)[],
  list: (layer: LayerChoice | undefined) => Promise<Entry[]>,
  nameOf: (entry: Entry) => string,
): Promise<Marked<Entry>[]> {
  const answering = await list(undefined);
  const answers = new Map(answering.map((entry) => [nameOf(entry), entry.store]));
  const found: Marked<Entry>[] = [];
  for (const layer of layers) {
    for (const entry of layer === undefined ? answering : await list(layer)) {
      found.push({ ...entry, shadowed: (answers.get(nameOf(entry)) ?? entry.store) !== entry.store });
    }
  }
  return found.sort(
    (a, b) => Buffer.compare(Buffer.from(nameOf(a)), Buffer.from(nameOf(b))) || Number(a.shadowed) - Number(b.shadowed),
  );
}

async function writeListing(context: Context, { images, keys }: Listing): Promise<void> {
  const shadow = ({ shadowed }: { shadowed: boolean }): string => (shadowed ? "shadowed" : "");
  const columns = [
    { title: "kind" },
    { title: "name" },
    { title: "layer" },
    { title: "size", align: "right" as const },
    { title: "type" },
    { title: "shadowed" },
  ];
  await writeTable(context, columns, [
    ...images.map((image) => ["image", image.tag, image.store, image.size, image.type, shadow(image)]),
    ...keys.map((key) => ["key", key.key, key.store, key.bytes, "value", shadow(key)]),
  ]);
}
