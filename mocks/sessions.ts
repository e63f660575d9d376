/** What a dock knows of the host that it talks to: its hello, its answers, its streams (SPEC §3, §4.3). */
import { changes, type FailureCode, type Hello, type Item, REMEMBERED_ANSWERS } from "../protocol/index.js";
import type { RefusalDetails } from "./refusal.js";
import type { Stream } from "./stream.js";

/** A final answer, without the id. */
export type Answer =
  | { readonly type: "result"; readonly value: Record<string, Item> }
  | ({ readonly type: "failure"; readonly code: FailureCode; readonly message: string } & RefusalDetails);

/** The last final answers, by id. */
export class Answers {
  /** The oldest first. */
  readonly #answers = new Map<number, Answer>();

  of(id: number): Answer | undefined {
    return this.#answers.get(id);
  }

  remember(id: number, answer: Answer): void {
    this.#answers.delete(id);
    this.#answers.set(id, answer);
    const [oldest] = this.#answers.keys();
    if (this.#answers.size > REMEMBERED_ANSWERS && oldest !== undefined) this.#answers.delete(oldest);
  }
}

export class HostSession {
  readonly hello: Hello;
  /** Whether it goes on from one before, whose writes are still known. */
  readonly isResumed: boolean;
  /** Whether the host has said anything in it: then it has been welcomed, and knows whether it was resumed. */
  isUsed = false;
  /** Streams by id, the oldest first. */
  readonly streams = new Map<number, Stream>();
  /** Counted apart, so that reading doesn't push out what mustn't be done twice (SPEC §4.3). */
  readonly #reads = new Answers();
  /** To cancels of what never arrived. */
  readonly #cancels = new Answers();
  readonly #writes: Answers;

  /** @param before what the dock has last known of a host, if there was one since it has started */
  constructor(hello: Hello, before: HostSession | undefined) {
    this.hello = hello;
    const key = hello.session;
    const same = before?.hello.session;
    const isSame = before !== undefined && key !== undefined && same !== undefined && Buffer.compare(key, same) === 0;
    this.isResumed = isSame && (before.isUsed || before.isResumed);
    this.#writes = isSame ? before.#writes : new Answers();
  }

  /** Whether a hello is the one of this session, come again. */
  isOf({ nonce }: Hello): boolean {
    return Buffer.compare(nonce, this.hello.nonce) === 0;
  }

  answerTo(id: number): Answer | undefined {
    return this.#writes.of(id) ?? this.#reads.of(id) ?? this.#cancels.of(id);
  }

  /** @param op the operation that is answered; undefined for a cancel of what never arrived */
  remember(id: number, op: string | undefined, answer: Answer): void {
    const answers = op === undefined ? this.#cancels : changes(op) ? this.#writes : this.#reads;
    answers.remember(id, answer);
  }
}
