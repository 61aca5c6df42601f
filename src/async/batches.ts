/** Parts of a list, in its order, each of `size` items but for the last. */
export function* batchesOf<T>(items: readonly T[], size: number): Iterable<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
