/** The handshake: `hello` until its `welcome` comes, or a reason to give up (SPEC §3.1). */
import { randomBytes } from "node:crypto";
import { type DockMessage, PROTOCOL_VERSION, USUAL_BODY, type Welcome } from "../protocol/index.js";
import type { Clock } from "./clock.js";
import type { Outcome, Problem } from "./errors.js";
import { type Link, type LinkCounters, noCounters } from "./link.js";
import { visible } from "./visible.js";

/** First wait for a welcome, in milliseconds; then twice as long each time, up to the longest (SPEC §9.3). */
const HELLO_RETRY = { first: 250, longest: 2_000 };
/** Console text that is kept for the message when nothing else comes, in characters. */
const TEXT_KEPT = 200;

export interface HandshakeOptions {
  readonly clock: Clock;
  readonly software: string;
  /** Longest handshake, in milliseconds. */
  readonly handshakeTimeout: number;
  /** The same 8 bytes whenever the host comes back: by them the dock knows which answers it may be asked for again (SPEC §3.4). */
  readonly session: Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

export class Handshake {
  readonly #options: HandshakeOptions;
  readonly #nonce = randomBytes(8);
  #settle: ((outcome: Outcome<Welcome>) => void) | undefined;
  #text = "";
  /** What the link had counted when it began. */
  #before: LinkCounters = noCounters();

  constructor(options: HandshakeOptions) {
    this.#options = options;
  }

  /** Says hello until it is answered. `welcomed` is called at once with the answer and how long it took in milliseconds, before anything that follows it is read. */
  async run(link: Link, welcomed: (welcome: Welcome, roundTrip: number) => void): Promise<Outcome<Welcome>> {
    const { clock, handshakeTimeout, signal } = this.#options;
    const begun = clock.now();
    this.#before = { ...link.counters };
    let stopHello = (): void => {};
    const hello = (wait: number): void => {
      const { software, session } = this.#options;
      const offer = { versions: [PROTOCOL_VERSION], nonce: this.#nonce, maxBody: USUAL_BODY, software, session };
      link.send({ type: "hello", hello: offer });
      if (this.#settle === undefined) return; // sending can be what ends it: a tracer may abort
      stopHello = clock.after(wait, () => hello(Math.min(wait * 2, HELLO_RETRY.longest)));
    };
    const stopDeadline = clock.after(handshakeTimeout, () => this.fail(this.#noAnswer(link)));
    const abort = (): void => this.fail({ code: "ABORTED", message: "Opening the dock was aborted.", cause: signal?.reason });
    signal?.addEventListener("abort", abort, { once: true });
    const outcome = await new Promise<Outcome<Welcome>>((resolve) => {
      this.#settle = (outcome) => {
        this.#settle = undefined;
        stopHello();
        stopDeadline();
        signal?.removeEventListener("abort", abort);
        if (outcome.kind === "done") welcomed(outcome.value, clock.now() - begun);
        resolve(outcome);
      };
      hello(HELLO_RETRY.first);
      if (signal?.aborted) abort();
    });
    return outcome;
  }

  receive(message: DockMessage): void {
    if (message.type === "welcome" && this.#isMine(message.welcome.nonce)) {
      const { welcome } = message;
      if (welcome.version === PROTOCOL_VERSION) return this.#settle?.({ kind: "done", value: welcome });
      return this.fail({ code: "PROTOCOL", message: `The dock chose version ${welcome.version}, which it wasn't offered.` });
    }
    if (message.type !== "failure" || message.failure.code !== "VERSION" || !this.#isMine(message.failure.nonce)) return;
    const versions = message.failure.versions ?? [];
    this.fail({
      code: "VERSION",
      message: `The dock speaks version ${versions.join(", ") || "unknown"} of the protocol, this driver ${PROTOCOL_VERSION}. Update the older of the two.`,
      details: { versions },
    });
  }

  echo(): void {
    this.fail({
      code: "ECHO",
      message: "The port sends back what it is sent: it is a loop, or a terminal that echoes. No dock is speaking there.",
    });
  }

  text(text: string): void {
    if (this.#settle !== undefined) this.#text = (this.#text + text).slice(-TEXT_KEPT);
  }

  fail(problem: Problem): void {
    this.#settle?.({ kind: "failed", problem });
  }

  #isMine(nonce: Uint8Array | undefined): boolean {
    return nonce !== undefined && this.#nonce.equals(nonce);
  }

  #noAnswer(link: Link): Problem {
    const since = (counter: keyof LinkCounters): number => link.counters[counter] - this.#before[counter];
    const broken = since("noiseBytes") + since("cobs") + since("crc") + since("oversize");
    const line =
      this.#text
        .trim()
        .split(/\r?\n|\r/)
        .at(-1) ?? "";
    const heard = link.isSilent
      ? "Nothing came back. Is the dock on, is it the right port, does its application speak the protocol?"
      : line === "" || broken > 0
        ? `${since("bytesIn")} bytes came back, but no welcome: another device, another speed, or a dock whose application doesn't speak the protocol.`
        : `It only prints text, last: "${visible(line)}". Does its application speak the protocol?`;
    const where = link.device === undefined ? link.name : `${link.name} (${link.device})`;
    return {
      code: "NO_ANSWER",
      message: `No dock answered at ${where} within ${this.#options.handshakeTimeout} ms. ${heard}`,
      retryable: true,
    };
  }
}
