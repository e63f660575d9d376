/** Bytes ⇄ frames ⇄ messages over a transport. What arrives broken ends here, counted. */
import { DelimiterParser } from "@serialport/parser-delimiter";
import {
  DELIMITER,
  DELIMITER_BYTES,
  type DockMessage,
  decodeFrame,
  encodeMessage,
  FrameBatch,
  type FrameLoss,
  HANDSHAKE_BODY,
  type HostMessage,
  LineGuard,
  parseDockMessage,
  USUAL_BODY,
} from "../protocol/index.js";
import type { Clock } from "./clock.js";
import type { Problem } from "./errors.js";
import { Pacing } from "./pacing.js";
import type { Transport } from "./transport/transport.js";

/** What a line has carried, and what went wrong on it, since it was opened. */
export interface LinkCounters {
  bytesIn: number;
  bytesOut: number;
  framesIn: number;
  framesOut: number;
  /** Frames dropped: longer than the body limit, no COBS, a wrong CRC. */
  oversize: number;
  cobs: number;
  crc: number;
  /** Frames with a right CRC whose body breaks the protocol; of a type that it doesn't have; of the host's own types. */
  malformed: number;
  unknown: number;
  echo: number;
  /** Bytes of console text, and bytes that were neither text nor frames. */
  textBytes: number;
  noiseBytes: number;
  /** Requests sent again, gaps seen in streams, data that came twice, `resend` messages sent and received. */
  retries: number;
  gaps: number;
  duplicates: number;
  resends: number;
  resendsIn: number;
  /** Bytes of images that were sent, what was sent again included. */
  uploaded: number;
  /** How often the line was lost and the dock found again. */
  reconnects: number;
}

export function noCounters(): LinkCounters {
  const frames = { bytesIn: 0, bytesOut: 0, framesIn: 0, framesOut: 0, oversize: 0, cobs: 0, crc: 0 };
  const bodies = { malformed: 0, unknown: 0, echo: 0, textBytes: 0, noiseBytes: 0 };
  return { ...frames, ...bodies, retries: 0, gaps: 0, duplicates: 0, resends: 0, resendsIn: 0, uploaded: 0, reconnects: 0 };
}

/** Why something that came in was dropped. */
type DropReason = FrameLoss | "malformed" | "unknown" | "echo" | "noise";

/**
 * What passes along a link, for whoever looks on. A `body` is the frame's body as it was on the line, CBOR: it is the link's own memory, good
 * during the call, and to be copied by who wants it longer.
 */
export type TraceEvent = {
  /** Milliseconds since some fixed moment. */ readonly at: number;
} /** A line is open, and what follows passes along it; the second one of a dock is another line. */ & (
  | { readonly kind: "opened"; readonly line: string }
  | { readonly kind: "sent"; readonly message: HostMessage; readonly body: Uint8Array }
  | { readonly kind: "received"; readonly message: DockMessage; readonly body: Uint8Array }
  | {
      readonly kind: "dropped";
      readonly why: DropReason;
      /** Bytes of the frame or of the noise; of the body where there is one. */
      readonly bytes: number;
      readonly detail?: string;
      /** Where the frame was whole. */
      readonly body?: Uint8Array;
    }
  | { readonly kind: "text"; readonly text: string }
  /** The line is gone, unless this side has closed it. */
  | { readonly kind: "lost"; readonly why: string }
);

export interface LinkHandlers {
  message(message: DockMessage): void;
  /** A frame came back that only a host sends. */
  echo(): void;
  /** Console text of the dock, as it comes in: not cut into lines. */
  text(text: string): void;
  /** The line is gone. Called once; nothing is called after it. */
  lost(problem: Problem): void;
  trace?(event: TraceEvent): void;
}

/** Bytes in one write, at about which the next one is begun: the line takes the one while the other is made. */
const LARGEST_WRITE = 32 * 1024;

export class Link {
  /** Counted up by the link, and by others for what they see. */
  readonly counters: LinkCounters;
  /** When what can wait is sent. */
  readonly pacing: Pacing;
  readonly #transport: Transport;
  readonly #handlers: LinkHandlers;
  readonly #clock: Clock;
  readonly #guard = new LineGuard(USUAL_BODY);
  readonly #splitter = new DelimiterParser({ delimiter: [...DELIMITER_BYTES], readableObjectMode: true });
  readonly #console = new TextDecoder("utf-8");
  #maxBody = HANDSHAKE_BODY;
  #arrived: Buffer[] = [];
  readonly #outgoing = new FrameBatch();
  #open = true;
  #isSilent = true;
  #frameBytes = 0;
  #partialBytes = 0;
  #lastFrameByteAt: number;

  /** @param counters goes on counting where another link to the same dock has ended */
  constructor(transport: Transport, handlers: LinkHandlers, clock: Clock, counters: LinkCounters = noCounters()) {
    this.counters = counters;
    this.pacing = new Pacing(clock);
    this.#transport = transport;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#lastFrameByteAt = clock.now();
    this.#splitter.on("data", (run: Buffer) => this.#frame(run));
    handlers.trace?.({ at: clock.now(), kind: "opened", line: transport.name });
    const { stream } = transport;
    // What came is worked on a turn later, so that the port can already read on: with serialport the one waits for the other.
    stream.on("data", (chunk: Buffer) => {
      if (this.#arrived.push(chunk) === 1) this.#clock.soon(() => this.#workOff());
    });
    stream.on("error", (cause: Error) => this.#lost(cause));
    stream.on("end", () => this.#lost());
    stream.on("close", (cause: unknown) => this.#lost(cause instanceof Error ? cause : undefined)); // streams give it what they like
  }

  get name(): string {
    return this.#transport.name;
  }

  /** What is plugged in at its end, as a person would name it; undefined when nobody knows. */
  get device(): string | undefined {
    return this.#transport.device;
  }

  /** What the line does when the reader is late. */
  get whenLate(): "holds back" | "drops" {
    return this.#transport.holdsBack ? "holds back" : "drops";
  }

  /** Whether nothing at all has come in. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** Bytes of frames, whole or not, that came in. */
  get frameBytes(): number {
    return this.#frameBytes;
  }

  /** Bytes of the frame that is coming in just now. */
  get partialBytes(): number {
    return this.#partialBytes;
  }

  /** When one came in last, by the link's clock. */
  get lastFrameByteAt(): number {
    return this.#lastFrameByteAt;
  }

  /** Sets the largest body to accept, in bytes, up to the usual one. */
  set maxBody(maxBody: number) {
    this.#maxBody = maxBody;
  }

  /** Sends a message. What is sent in one turn of the event loop goes out as one write. */
  send(message: HostMessage): void {
    if (!this.#open) return;
    if (this.#outgoing.frames === 0) queueMicrotask(() => this.#flush());
    const before = this.#outgoing.bytes;
    const body = encodeMessage(message);
    this.#outgoing.add(body);
    this.pacing.queued(this.#outgoing.bytes - before);
    this.#handlers.trace?.({ at: this.#clock.now(), kind: "sent", message, body });
    if (this.#outgoing.bytes >= LARGEST_WRITE) this.#flush();
  }

  /** Ends the link; `lost` isn't called any more. */
  async close(): Promise<void> {
    this.#open = false;
    await this.#transport.close();
  }

  #flush(): void {
    const { frames } = this.#outgoing;
    if (frames === 0) return;
    const bytes = this.#outgoing.take();
    this.counters.framesOut += frames;
    this.counters.bytesOut += bytes.length;
    const handedAt = this.#clock.now();
    if (this.#open) this.#transport.stream.write(bytes, () => this.pacing.taken(bytes.length, handedAt));
  }

  #workOff(): void {
    const arrived = this.#arrived;
    this.#arrived = [];
    for (const chunk of arrived) this.#received(chunk);
  }

  #received(chunk: Buffer): void {
    if (!this.#open) return;
    this.#isSilent = false;
    this.counters.bytesIn += chunk.length;
    for (const piece of this.#guard.feed(chunk)) {
      switch (piece.kind) {
        case "frames":
          this.#frameBytes += piece.bytes.length;
          this.#partialBytes = partialAfter(this.#partialBytes, piece.bytes);
          this.#lastFrameByteAt = this.#clock.now();
          this.#splitter.write(piece.bytes);
          break;
        case "text":
          this.#text(piece.bytes);
          break;
        case "noise":
          this.counters.noiseBytes += piece.bytes;
          this.#dropped("noise", piece.bytes);
          break;
      }
    }
  }

  #text(bytes: Uint8Array): void {
    this.counters.textBytes += bytes.length;
    const text = this.#console.decode(bytes, { stream: true });
    if (text === "") return;
    this.#handlers.trace?.({ at: this.#clock.now(), kind: "text", text });
    this.#handlers.text(text);
  }

  #frame(run: Buffer): void {
    if (!this.#open) return;
    const frame = decodeFrame(run, this.#maxBody);
    switch (frame.kind) {
      case "empty":
        return;
      case "lost":
        this.counters[frame.why]++;
        this.#dropped(frame.why, frame.bytes);
        return;
      case "body":
        this.counters.framesIn++;
        this.#body(frame.body);
    }
  }

  #body(body: Uint8Array): void {
    const parsed = parseDockMessage(body);
    switch (parsed.kind) {
      case "message":
        this.#handlers.trace?.({ at: this.#clock.now(), kind: "received", message: parsed.message, body });
        this.#handlers.message(parsed.message);
        return;
      case "malformed":
      case "unknown":
      case "echo":
        this.counters[parsed.kind]++;
        this.#dropped(parsed.kind, body.length, {
          detail: parsed.kind === "malformed" ? parsed.why : `message type ${parsed.code}`,
          body,
        });
        if (parsed.kind === "echo") this.#handlers.echo();
    }
  }

  #dropped(why: DropReason, bytes: number, known: { readonly detail?: string; readonly body?: Uint8Array } = {}): void {
    this.#handlers.trace?.({ at: this.#clock.now(), kind: "dropped", why, bytes, ...known });
  }

  #lost(cause?: Error): void {
    if (!this.#open) return;
    this.#workOff(); // what came before the end counts
    if (!this.#open) return;
    this.#open = false;
    const why = cause === undefined ? "" : ` (${cause.message})`;
    const message = `The link to ${this.name} is gone${why}: unplugged, or closed by the other side.`;
    this.#handlers.trace?.({ at: this.#clock.now(), kind: "lost", why: message });
    this.#handlers.lost({ code: "LINK_LOST", message, retryable: true, ...(cause === undefined ? {} : { cause }) });
    this.#transport.close().catch(() => {}); // it is gone already; this only sets free what is left of it
  }
}

/** Bytes of an unfinished frame, after `bytes` more have come. */
function partialAfter(before: number, bytes: Uint8Array): number {
  const delimiter = bytes.lastIndexOf(DELIMITER);
  return delimiter < 0 ? before + bytes.length : bytes.length - 1 - delimiter;
}
