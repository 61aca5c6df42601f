export function sumOf<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0);
}

/** The sum of each field. */
export function sums<T extends Readonly<Record<string, number>>>(records: readonly T[]): T {
  const names = new Set(records.flatMap((record) => Object.keys(record)));
  return Object.fromEntries(Array.from(names, (name) => [name, sumOf(records, (record) => record[name] ?? 0)])) as T;
}

/** The first of those that no other is worse than; undefined without any. */
export function worst<T>(items: readonly T[], badness: (item: T) => number): T | undefined {
  const [first, ...rest] = items;
  if (first === undefined) return undefined;
  return rest.reduce((most, item) => (badness(item) > badness(most) ? item : most), first);
}
