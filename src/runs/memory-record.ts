import type { LiveUpdate } from "../live/live-update.js";
import type { RunResult } from "../result/run-result.js";
import type { KeptRecord } from "./kept-record.js";
import { textInMemory, type ResultText } from "./result-text.js";
import { withoutResult, type RecordHead, type RunRecord } from "./run-record.js";

/** A run that is not on disk. It is text, of which the bytes are known. */
export class MemoryRecord implements KeptRecord {
  readonly head: RecordHead;
  readonly #update: Buffer;
  readonly #result: Buffer | undefined;

  constructor({ update, result, ...head }: RunRecord) {
    this.head = { ...head, hasResult: result !== undefined };
    this.#update = Buffer.from(JSON.stringify(update));
    this.#result = result && Buffer.from(JSON.stringify(result));
  }

  get bytes(): number {
    return this.#update.length + (this.#result?.length ?? 0);
  }

  readUpdate(): Promise<LiveUpdate> {
    return Promise.resolve(this.#lastUpdate);
  }

  readResult(): Promise<RunResult | undefined> {
    return Promise.resolve(this.#result && (JSON.parse(String(this.#result)) as RunResult));
  }

  openResult(): Promise<ResultText | undefined> {
    return Promise.resolve(this.#result && textInMemory(this.#result));
  }

  /** The same run without its result and its series. */
  withoutResult(why: string): MemoryRecord {
    const { facts, start } = this.head;
    return new MemoryRecord(withoutResult({ facts, start, update: this.#lastUpdate }, this.#result && why));
  }

  get #lastUpdate(): LiveUpdate {
    return JSON.parse(String(this.#update)) as LiveUpdate;
  }
}
