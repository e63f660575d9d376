/** Calls to a dock, several under way at once: each has its deadline, which on a slow line shouldn't go by while it waits for the others. */

const MOST = 16;

/** Makes a call for each, in their order, and gives what they gave. Fails as the first call that fails, and begins no other then. */
export async function atOnce<T, R>(all: readonly T[], call: (one: T) => Promise<R>): Promise<R[]> {
  const given: R[] = [];
  const left = all.entries();
  let isOver = false;
  const lane = async (): Promise<void> => {
    for (const [i, one] of left) {
      if (isOver) return;
      given[i] = await call(one);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(MOST, all.length) }, lane));
  } finally {
    isOver = true;
  }
  return given;
}
