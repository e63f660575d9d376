/** Images on their way, from the dock's end: what is sent, and what is received (SPEC §5). */
import { createHash, type Hash } from "node:crypto";
import {
  Assembly,
  DATA_OVERHEAD,
  type DockMessage,
  type Item,
  LARGEST_PIECE,
  type Params,
  type Range,
  Sending,
  Window,
} from "../protocol/index.js";
import { Refusal } from "./refusal.js";

/** Where a stream says what it has to say. */
export interface Outlet {
  readonly maxBody: number;
  /** Bytes of an upload that may be under way at most. */
  readonly largestWindow: number;
  send(message: DockMessage): void;
  /** Whether so much waits to go out that data should wait. */
  isFull(): boolean;
  /** Milliseconds since some fixed moment. */
  now(): number;
}

export type Stream = DownStream | UpStream;

/** An image that a host reads. */
export interface Download {
  /** From the beginning of the image on, whatever is read of it. */
  readonly bytes: Uint8Array;
  readonly head: Record<string, Item>;
  /** Where it begins, and how far it may go at first. */
  readonly from: number;
  readonly credit: number;
  /** The result, when all bytes were sent, and again when some were sent again. Throws a `Refusal` when it ends otherwise. */
  result(): Record<string, Item>;
}

/** An image that a host writes. */
export interface Upload {
  readonly params: Params<"image.put">;
  /** Keeps room for it, until the function that comes back is called. Throws a `Refusal`. */
  reserve(): () => void;
  /** Hands out what came of this content before, and keeps it no longer. */
  takePartial(): Uint8Array | undefined;
  /** Keeps what came of it, since it broke off. */
  keepPartial(bytes: Uint8Array): void;
  /** All is there, and is what was announced: gives the result. Throws a `Refusal`. */
  put(bytes: Uint8Array): Record<string, Item>;
}

/** An image on its way to the host. */
export class DownStream {
  readonly kind = "down";
  readonly op = "image.get";
  readonly #id: number;
  readonly #download: Download;
  readonly #sending: Sending;
  readonly #outlet: Outlet;
  /** Whether its result was sent after all that was sent last; and whether it was ever sent: it is then kept for `resend` until another one needs its place (SPEC §5.1). */
  #result: "due" | "sent" | "due again" = "due";

  constructor(id: number, download: Download, outlet: Outlet) {
    this.#id = id;
    this.#download = download;
    this.#outlet = outlet;
    this.#sending = new Sending(download.from, download.credit, Math.min(outlet.maxBody - DATA_OVERHEAD, LARGEST_PIECE));
  }

  /** Whether its result was ever sent. */
  get isAnswered(): boolean {
    return this.#result !== "due";
  }

  /** Whether its result was sent after everything else. */
  get isThrough(): boolean {
    return this.#result === "sent";
  }

  sayHead(): void {
    this.#outlet.send({ type: "head", id: this.#id, meta: this.#download.head });
  }

  credit(limit: number): void {
    this.#sending.grant(limit);
  }

  resend(range: Range, limit: number): "accepted" | "outside" {
    const outcome = this.#sending.resend(range, limit);
    if (outcome === "accepted" && this.#result === "sent") this.#result = "due again";
    return outcome;
  }

  /** Sends what the credit allows. Gives the result when it is due, or throws a `Refusal`: then it is over. */
  pump(): Record<string, Item> | undefined {
    const { bytes } = this.#download;
    while (!this.#outlet.isFull()) {
      const range = this.#sending.peek(bytes.length);
      if (range === undefined) break;
      this.#outlet.send({ type: "dockData", id: this.#id, offset: range.from, bytes: bytes.subarray(range.from, range.to) });
      this.#sending.sent(range);
    }
    if (this.#result === "sent" || !this.#sending.isThrough(bytes.length)) return undefined;
    this.#result = "sent";
    return this.#download.result();
  }
}

/** An image on its way to the dock. */
export class UpStream {
  readonly kind = "up";
  readonly op = "image.put";
  readonly #id: number;
  readonly #upload: Upload;
  readonly #outlet: Outlet;
  readonly #release: () => void;
  readonly #bytes: Buffer;
  readonly #hash: Hash = createHash("sha256");
  readonly #assembly: Assembly;
  readonly #window: Window;
  #limit = 0;

  /** Begins with what there is of this content from before. Throws a `Refusal` when there is no room for it. */
  constructor(id: number, upload: Upload, outlet: Outlet) {
    this.#id = id;
    this.#upload = upload;
    this.#outlet = outlet;
    this.#release = upload.reserve();
    this.#bytes = Buffer.allocUnsafe(upload.params.size);
    const part = upload.takePartial() ?? new Uint8Array();
    this.#bytes.set(part);
    this.#hash.update(part);
    this.#assembly = new Assembly(part.length);
    this.#window = new Window(outlet.largestWindow, () => outlet.now());
    this.#window.begin();
    this.#grant();
  }

  /** The transaction that it is part of. */
  get txn(): number | undefined {
    return this.#upload.params.txn;
  }

  /** Whether all is there. */
  get isWhole(): boolean {
    return this.#assembly.expected === this.#upload.params.size;
  }

  /** Says where to begin, or what is missing: nothing overtakes, so what was sent before that was asked isn't under way any more. */
  sayWhere(): void {
    const { highest } = this.#assembly;
    for (const gap of [...this.#assembly.gaps(), { from: highest, to: highest }]) this.#sayResend(gap);
  }

  /** Takes bytes. Throws a `Refusal` when they can't be: then it is over. */
  data(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.#limit) throw new Refusal("INVALID", "data beyond the credit or the end");
    const taken = this.#assembly.take(offset, bytes);
    switch (taken.kind) {
      case "duplicate":
        return;
      case "crumbs":
        throw new Refusal("INVALID", "too many small pieces out of order");
      case "early":
        this.#window.arrived(taken.fresh);
        if (taken.gap === undefined) return;
        this.#window.lost();
        return this.#sayResend(taken.gap);
      case "next": {
        let at = this.#assembly.expected - taken.pieces.reduce((sum, piece) => sum + piece.length, 0);
        for (const piece of taken.pieces) {
          this.#bytes.set(piece, at);
          this.#hash.update(piece);
          at += piece.length;
        }
        this.#window.arrived(taken.fresh);
        if (this.#grant()) this.#outlet.send({ type: "dockCredit", id: this.#id, limit: this.#limit });
      }
    }
  }

  /** Makes it visible, when it is what was announced: its result. Throws a `Refusal` otherwise. */
  finish(): Record<string, Item> {
    this.#release();
    if (Buffer.compare(this.#hash.digest(), this.#upload.params.sha256) !== 0)
      throw new Refusal("INTEGRITY", "the SHA-256 isn't the one that was announced");
    return this.#upload.put(this.#bytes);
  }

  /** It is over before its end. What came is kept for another try. */
  breakOff(): void {
    this.#release();
    this.#upload.keepPartial(this.#bytes.subarray(0, this.#assembly.expected));
  }

  /** It is over, and nothing of it is wanted. */
  drop(): void {
    this.#release();
  }

  /** Whether there is more credit, and enough of it to be worth a message. */
  #grant(): boolean {
    const { size } = this.#upload.params;
    const limit = Math.min(size, this.#assembly.expected + this.#window.size);
    if (limit <= this.#limit || (limit < size && limit - this.#limit < this.#window.size / 2)) return false;
    this.#limit = limit;
    return true;
  }

  #sayResend({ from, to }: Range): void {
    this.#outlet.send({ type: "dockResend", id: this.#id, from, to, limit: this.#limit });
  }
}
