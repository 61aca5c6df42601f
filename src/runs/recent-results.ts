import type { RunResult } from "../result/run-result.js";

const MOST_REMEMBERED_BYTES = 20 * 1024 * 1024;

/**
 * The results of files. One is read at a time: a large one delays the server while it is parsed, and takes several times the
 * size of its file. The last ones are remembered, since a reader of a report compares it and loads it again.
 */
export class RecentResults {
  /** The one that was asked for last is the last one. */
  readonly #recent = new Map<string, { readonly result: RunResult; readonly bytes: number }>();
  #last: Promise<unknown> = Promise.resolve();

  /** @param read does not reject */
  constructor(readonly read: (file: string) => Promise<RunResult | undefined>) {}

  /** @param bytes of the file */
  get(file: string, bytes: number): Promise<RunResult | undefined> {
    const result = this.#last.then(() => this.#get(file, bytes));
    // Not the result, which may be larger than what is remembered.
    this.#last = result.then(() => {});
    return result;
  }

  async #get(file: string, bytes: number): Promise<RunResult | undefined> {
    const result = this.#recent.get(file)?.result ?? (await this.read(file));
    this.#recent.delete(file);
    if (result !== undefined) this.#recent.set(file, { result, bytes });
    this.#forget();
    return result;
  }

  #forget(): void {
    let total = [...this.#recent.values()].reduce((sum, { bytes }) => sum + bytes, 0);
    for (const [file, { bytes }] of this.#recent) {
      if (total <= MOST_REMEMBERED_BYTES) return;
      this.#recent.delete(file);
      total -= bytes;
    }
  }
}
