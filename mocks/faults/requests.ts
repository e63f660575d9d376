/** Which requests a dock has met in a session: what has arrived before may have been carried out, and can't be refused any more. */
import type { DockMessage, Failure } from "../../protocol/index.js";

/** Refusals that are remembered at most: hosts don't repeat what is older by far (SPEC §4.6). */
const REMEMBERED = 1_024;

export class RequestsMet {
  #highest: number | undefined;
  readonly #refused = new Map<number, Failure>();

  /** Whether a request arrives for the first time. A late one that others have overtaken counts as known. */
  meet(id: number): "new" | "known" {
    const ahead = this.#highest === undefined ? 1 : (id - this.#highest) >>> 0; // ids begin anew after 2³² − 1
    if (ahead === 0 || ahead >= 2 ** 31) return "known";
    this.#highest = id;
    return "new";
  }

  /** Remembers a final answer (SPEC §4.3). */
  refuse(id: number, failure: Failure): void {
    this.#refused.set(id, failure);
    const [oldest] = this.#refused.keys();
    if (this.#refused.size > REMEMBERED && oldest !== undefined) this.#refused.delete(oldest);
  }

  refusal(id: number): Failure | undefined {
    return this.#refused.get(id);
  }

  /** To be shown all that the dock says: forgets everything when a session begins. */
  watch(message: DockMessage): void {
    if (message.type !== "welcome" || message.welcome.resumed === true) return;
    this.#highest = undefined;
    this.#refused.clear();
  }
}
