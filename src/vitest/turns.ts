/** Work that is done one after the other, in the order in which it is asked for. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve();

  /** Does it when what was asked for before has ended, however that was. */
  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => {});
    return done;
  }
}
