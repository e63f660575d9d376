/** Who stands behind a service and knows the answers: a dock, or the recording of one. Knows nothing of lines, ids and sessions. */
import type { DockMessage, Hello, Item, Limits, Welcome } from "../protocol/index.js";
import type { DockModel } from "./dock.js";
import type { Download, Upload } from "./stream.js";

/** What a host asks with. */
export type Asked = { readonly [key: string]: Item };

/** What is said beside the answers: console text as it is, or a message of the dock's log. */
export type Remark = string | Extract<DockMessage, { type: "log" }>;

/** In what an answer is given. */
export interface Circumstances {
  readonly limits: Limits;
  /** The host's body limit, in bytes. */
  readonly maxBody: number;
  readonly uptimeMs: number;
  /** Says something now, before the answer. */
  say(remark: Remark): void;
  /** Says something when the answer has been given. */
  sayAfter(remark: Remark): void;
}

/** What an upload comes to when it is asked for: its result, or that its bytes are wanted. */
export type Begun =
  | { readonly kind: "done"; readonly value: Record<string, Item> }
  | { readonly kind: "upload"; readonly upload: Upload };

export interface Behind {
  /** The dock, where there is one. */
  readonly model: DockModel | undefined;
  /** What a welcome says of the dock. A host has come, or has come back. */
  greet(hello: Hello, circumstances: Circumstances): Pick<Welcome, "bootId" | "dock" | "features" | "stores">;
  /** The result of an operation that moves no image. Throws a `Refusal`, as the next two do. */
  answer(op: string, params: Asked, circumstances: Circumstances): Record<string, Item>;
  /** What `image.get` asks for. */
  read(params: Asked, circumstances: Circumstances): Download;
  /** What `image.put` announces. */
  write(params: Asked, circumstances: Circumstances): Begun;
  /** Whether a transaction isn't over. */
  isOpen(txn: number): boolean;
  /** The session has ended, and with it the open transaction. */
  rollbackOpen(): void;
  /** It was told to restart, or its power went. */
  restart(circumstances: Pick<Circumstances, "say">): void;
  /** Keeps what has changed, before anybody is told of it. */
  save(): void;
}
