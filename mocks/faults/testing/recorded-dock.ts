/** A dock that writes down what faults have it do. */
import type { DockMessage, HostMessage } from "../../../protocol/index.js";
import { DockModel, PROFILES } from "../../dock.js";
import type { FaultClock, ServedDock } from "../../faults.js";

export class RecordedDock implements ServedDock {
  readonly model = new DockModel(PROFILES.full, "MOCK-0001");
  readonly heard: HostMessage[] = [];
  readonly said: DockMessage[] = [];
  readonly did: string[] = [];
  readonly #clock: FaultClock;

  constructor(clock: FaultClock) {
    this.#clock = clock;
  }

  restart(): void {
    this.did.push("restart");
  }

  forget(): void {
    this.did.push("forget");
  }

  hear(message: HostMessage): void {
    this.heard.push(message);
  }

  say(message: DockMessage): void {
    this.said.push(message);
  }

  after(ms: number, then: () => void): void {
    this.#clock.after(ms, then);
  }
}
