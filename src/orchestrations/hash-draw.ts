/** A number in [0, 1) that looks random, and is a function of the seed and the 32-bit integers of a place alone. */
export function uniformAt(seed: number, ...place: readonly number[]): number {
  let hash = mix(seed | 0);
  for (const number of place) hash = mix(hash ^ number);
  return (hash >>> 0) / 2 ** 32;
}

/** The 32-bit finalizer of MurmurHash3 (Austin Appleby, public domain), after a step that keeps 0 from staying 0. */
function mix(value: number): number {
  let hash = (value + 0x9e3779b9) | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
