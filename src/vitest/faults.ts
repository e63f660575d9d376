/** Faults of a mock dock, for as long as a test. */
import type { ControlledMock } from "../transport/mock.js";

export class Faults {
  readonly #mock: ControlledMock;
  readonly #texts: string[] = [];

  /** Made by the kit. */
  constructor(mock: ControlledMock) {
    this.#mock = mock;
  }

  /**
   * Has the mock dock, or its line, fail from now on, as its `--fault` does: `"cut:at=5000"`, `"flip:rate=1e-4"`, `"busy"`. What counts bytes or
   * messages begins to count now. Fails with `USAGE` where there is no such fault.
   */
  async add(...faults: readonly string[]): Promise<void> {
    await this.#mock.setFaults([...this.#texts, ...faults]);
    this.#texts.push(...faults);
  }

  /** Ends all of them. */
  async clear(): Promise<void> {
    if (this.#texts.length === 0) return;
    this.#texts.length = 0;
    await this.#mock.setFaults([]);
  }
}
