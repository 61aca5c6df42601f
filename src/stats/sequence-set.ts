const BITS = 32;
const FIRST_WORDS = 32;

/** A set of whole numbers from 0, with one bit each. Its memory depends on its largest number. */
export class SequenceSet {
  #words = new Uint32Array(FIRST_WORDS);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(sequence: number): void {
    if (this.has(sequence)) return;
    const word = Math.floor(sequence / BITS);
    if (word >= this.#words.length) this.#grow(word + 1);
    this.#words[word]! |= 1 << (sequence % BITS);
    this.#size += 1;
  }

  has(sequence: number): boolean {
    const word = this.#words[Math.floor(sequence / BITS)] ?? 0;
    return (word & (1 << (sequence % BITS))) !== 0;
  }

  /** The numbers that the other set lacks, ascending. */
  *missingFrom(other: SequenceSet): Iterable<number> {
    for (let word = 0; word < this.#words.length; word += 1) {
      const bits = this.#words[word]! & ~(other.#words[word] ?? 0);
      if (bits === 0) continue;
      for (let bit = 0; bit < BITS; bit += 1) if ((bits & (1 << bit)) !== 0) yield word * BITS + bit;
    }
  }

  /** At least doubles the size, so that adding n numbers takes n steps. */
  #grow(leastWords: number): void {
    const words = new Uint32Array(Math.max(leastWords, this.#words.length * 2));
    words.set(this.#words);
    this.#words = words;
  }
}
