import { createWriteStream, readFileSync, type WriteStream } from "node:fs";

/** One instance that completed, in milliseconds: `createdMs` since the epoch, by the server's clock. */
export interface DelayRecord {
  readonly createdMs: number;
  readonly meantMs: number;
  readonly tookMs: number;
}

const DOUBLE_BYTES = 8;
const RECORD_BYTES = 3 * DOUBLE_BYTES;
const CHUNK_BYTES = 1_024 * RECORD_BYTES;

/** Appends records to a file as they come, each as three little-endian doubles, so that its memory does not grow. */
export class DelayLog {
  readonly #file: WriteStream;
  #chunk = Buffer.alloc(CHUNK_BYTES);
  #length = 0;

  constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  add({ createdMs, meantMs, tookMs }: DelayRecord): void {
    for (const value of [createdMs, meantMs, tookMs]) this.#length = this.#chunk.writeDoubleLE(value, this.#length);
    if (this.#length < CHUNK_BYTES) return;
    this.#file.write(this.#chunk);
    this.#chunk = Buffer.alloc(CHUNK_BYTES);
    this.#length = 0;
  }

  /** Resolves when all is in the file. */
  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(this.#chunk.subarray(0, this.#length), resolve));
  }
}

/** The records of a log that was closed, in the order in which the instances completed. */
export function readDelayLog(file: string): readonly DelayRecord[] {
  const bytes = readFileSync(file);
  return Array.from({ length: bytes.length / RECORD_BYTES }, (_, record) => {
    const [createdMs, meantMs, tookMs] = [0, 1, 2].map((field) =>
      bytes.readDoubleLE(record * RECORD_BYTES + field * DOUBLE_BYTES),
    );
    return { createdMs: createdMs!, meantMs: meantMs!, tookMs: tookMs! };
  });
}
