/** A config against the factory layer of a dock: what differs, and having the dock hold it. */
import { type Contents, contentsOf } from "../contents.js";
import { checkPossible, type Difference, differences, reconcile } from "../difference.js";
import type { Dock } from "../dock.js";
import type { CallOptions } from "../session.js";
import type { RomConfig } from "./check-config.js";

/** The code of a config and that of a dock. */
export type CodeComparison =
  /** The config has none: that of the dock may be any. */
  | { readonly kind: "any" }
  | { readonly kind: "same" }
  | { readonly kind: "differs"; readonly is: CodeFacts; readonly wanted: CodeFacts }
  /** The dock doesn't tell. */
  | { readonly kind: "untold" };

interface CodeFacts {
  /** Bytes. */
  readonly size: number;
  readonly crc32: number;
}

export interface Comparison {
  readonly differences: readonly Difference[];
  readonly code: CodeComparison;
}

/** What differs. Values that are unique per dock count only where the config names them: it is the same for all docks. Fails as reading does. */
export async function compareConfig(dock: Dock, config: RomConfig, options: CallOptions = {}): Promise<Comparison> {
  const { images, keys } = await contentsOf(dock, "factory", options);
  const shared = new Map([...keys].filter(([key, { upd }]) => !upd || config.keys.has(key)));
  return {
    differences: differences({ images, keys: shared }, wantedBy(config)),
    code: await compareCode(dock, config, options),
  };
}

export interface PushOptions extends CallOptions {
  /** The dock's name: so that no other dock is meant. */
  readonly confirm: string;
  readonly onProgress?: ((progress: { readonly sent: number; readonly size: number }) => void) | undefined;
}

/**
 * Has the factory layer hold what a config asks for and nothing else, values that are unique per dock aside: in one transaction, of what differs. The
 * code stays as it is: only its CRC-32 is compared. Fails as a transaction does, and with `SOURCE` when a file has changed since it was checked.
 */
export async function pushConfig(dock: Dock, config: RomConfig, options: PushOptions): Promise<Comparison> {
  const found = await planPush(dock, config, options);
  await reconcile(dock, "factory", found.differences, {
    ...options,
    sourceOf: (tag) => ({ file: config.images.get(tag)?.file ?? "" }),
  });
  return found;
}

/** What `pushConfig` would change. Fails as it would, as far as that can be told without writing. */
export async function planPush(dock: Dock, config: RomConfig, { confirm, signal, timeout }: PushOptions): Promise<Comparison> {
  const found = await compareConfig(dock, config, { signal, timeout });
  // What the files have was checked with the config.
  await checkPossible(dock, "factory", found.differences, { confirm, signal, timeout, check: async () => {} });
  return found;
}

function wantedBy({ images, keys }: RomConfig): Contents {
  return { images, keys: new Map([...keys].map(([key, value]) => [key, { value, upd: false }])) };
}

async function compareCode(dock: Dock, { code }: RomConfig, options: CallOptions): Promise<CodeComparison> {
  if (code === undefined) return { kind: "any" };
  if (!dock.features.includes("code")) return { kind: "untold" };
  const is = await dock.code(options);
  if (is.size === code.size && is.crc32 === code.crc32) return { kind: "same" };
  return { kind: "differs", is, wanted: { size: code.size, crc32: code.crc32 } };
}
