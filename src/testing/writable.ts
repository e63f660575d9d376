/** A dock that can be written to, and a call that writes to it. */
import type { Welcome } from "../../protocol/index.js";
import { type OpenBench, openSession } from "./open-session.js";
import type { Script } from "./scripted-dock.js";

/** Everything that writing needs, in all layers. */
export const WRITABLE = {
  features: ["stores", "write.factory", "write.runtime", "write.ephemeral", "txn", "restart", "reset"],
} satisfies Partial<Welcome>;

/** What a dock answers to a write. */
export const WRITTEN = { generation: 4 };
/** What it answers to a write that can replace or remove. */
export const REMOVED = { generation: 4, existed: false };

/** A session with a dock that can be written to. */
export async function openWritable(
  options: { readonly script?: Script; readonly welcome?: Partial<Welcome> } = {},
): Promise<OpenBench> {
  return await openSession({ ...options, welcome: { ...WRITABLE, ...options.welcome } });
}
