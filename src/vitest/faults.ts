/** Faults of a mock dock, for as long as a test. */
import { DockError } from "../errors.js";
import type { ControlledMock } from "../transport/mock.js";
import { Turns } from "./turns.js";

export class Faults {
  readonly #mock: ControlledMock;
  readonly #turns = new Turns();
  #texts: readonly string[] = [];
  #isOver = false;

  /** Made by the kit. */
  constructor(mock: ControlledMock) {
    this.#mock = mock;
  }

  /**
   * Has the mock dock, or its line, fail from now on, as its `--fault` does: `"cut:at=5000"`, `"flip:rate=1e-4"`, `"busy"`. What counts bytes or
   * messages begins to count now. Fails with `USAGE` where there is no such fault, and once the test has ended.
   */
  add(...faults: readonly string[]): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#isOver) throw new DockError({ code: "USAGE", message: "The test has ended, and its faults with it." });
      const texts = [...this.#texts, ...faults];
      await this.#mock.setFaults(texts);
      this.#texts = texts;
    });
  }

  /** Ends all of them. */
  clear(): Promise<void> {
    return this.#turns.take(async () => {
      if (this.#texts.length === 0) return;
      await this.#mock.setFaults([]);
      this.#texts = [];
    });
  }

  /** Ends all of them, for good. By the kit. */
  end(): Promise<void> {
    this.#isOver = true;
    return this.clear();
  }
}
