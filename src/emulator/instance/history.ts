/** A framed history that grows: appending doubles the room, and its bytes are one slice. */
export class History {
  #bytes: Uint8Array;
  #length: number;

  constructor(framed: Uint8Array) {
    this.#bytes = framed;
    this.#length = framed.length;
  }

  get length(): number {
    return this.#length;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  append(framed: Uint8Array): void {
    const length = this.#length + framed.length;
    if (length > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(length, this.#bytes.length * 2));
      grown.set(this.bytes);
      this.#bytes = grown;
    }
    this.#bytes.set(framed, this.#length);
    this.#length = length;
  }
}
