import { RpcError, type RpcCode } from "../../../src/protocol/rpc-error.js";
import type { Trace } from "./trace.js";

/** What any call is told whose turn finds no room on the disk. */
const FULL: RpcCode = "RESOURCE_EXHAUSTED";

/** The calls that the hub was asked: each is answered once, with OK or with what the call may be answered with. */
export class Calls {
  readonly #trace: Trace;
  readonly #open = new Map<number, string>();
  #asked = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Returns what takes the answer. */
  ask(call: string, details: string, mayBe: readonly RpcCode[]): (error: Error | undefined) => void {
    const number = (this.#asked += 1);
    this.#open.set(number, `${call} ${details}`);
    this.#trace.note(`${call}?`, details);
    return (error) => {
      const code = error instanceof RpcError ? error.code : undefined;
      this.#trace.note(`${call}: ${code ?? error?.message ?? "OK"}`, details);
      if (error !== undefined && (code === undefined || ![FULL, ...mayBe].includes(code)))
        this.#trace.fault(`${call} ${details} was answered with ${error.stack}`);

      if (!this.#open.delete(number)) this.#trace.fault(`${call} ${details} was answered twice`);
    };
  }

  /** The process that was to answer them is gone. */
  forget(): void {
    this.#open.clear();
  }

  get unanswered(): readonly string[] {
    return [...this.#open.values()];
  }
}
