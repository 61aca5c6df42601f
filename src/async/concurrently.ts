/**
 * Calls `work` on each item with at most `limit` calls outstanding, and takes no more items once `signal` has aborted.
 * Rejects with the first error of `work`.
 */
export async function concurrently<T>(
  items: Iterable<T>,
  limit: number,
  signal: AbortSignal,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const lane = async (): Promise<void> => {
    while (!signal.aborted) {
      const next = iterator.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
}
