import { wait } from "../async/wait.js";
import { formatDuration } from "../format/duration.js";
import type { LoadPlan } from "../plan/plan.js";
import { lengthOf } from "../result/load-shape.js";

export type Ending =
  | { readonly kind: "all-ended" | "interrupted" }
  /** `aborted`: by a call of `abort`. `given-up`: by the run itself. */
  | { readonly kind: "given-up" | "aborted"; readonly reason: string };

export interface RunEndingOptions {
  readonly plan: LoadPlan;
  readonly interruption: AbortSignal;
  /** Aborts as soon as it is known that the run ends early. */
  readonly stopStarting: AbortController;
}

/** Decides how a run ends: by the end of its work, an interruption, a timeout, or a decision to give up. */
export class RunEnding {
  readonly #early = Promise.withResolvers<Ending>();

  constructor(readonly options: RunEndingOptions) {}

  /** Resolves when the run is aborted or given up. */
  get early(): Promise<Ending> {
    return this.#early.promise;
  }

  /** Ends the run early. */
  abort(reason: string): void {
    this.#end({ kind: "aborted", reason });
  }

  giveUp(reason: string): void {
    this.#end({ kind: "given-up", reason });
  }

  /**
   * Resolves with how the run ended. `generating` is its whole work, `allStarted` its part until the last start was
   * sent.
   */
  async of(generating: Promise<void>, allStarted: Promise<void>): Promise<Ending> {
    const { plan, interruption } = this.options;
    const { timeoutMs, graceMs: patienceMs = timeoutMs } = plan;
    const flag = plan.graceMs === undefined ? "--timeout" : "--grace";
    const reason = `not everything ended within ${formatDuration(patienceMs)} of the last start (${flag})`;
    const done = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const interrupted = new Promise<Ending>((resolve) => {
      if (interruption.aborted) resolve({ kind: "interrupted" });
      interruption.addEventListener("abort", () => resolve({ kind: "interrupted" }), { signal: done.signal });
    });
    void this.#lastDue(allStarted, done.signal).then(() => {
      if (done.signal.aborted) return;
      timer = setTimeout(() => this.giveUp(reason), patienceMs);
    });
    const allEnded = generating.then((): Ending => ({ kind: "all-ended" }));
    const ending = await Promise.race([interrupted, allEnded, this.early]);
    done.abort();
    clearTimeout(timer);
    return ending;
  }

  #end(ending: Ending): void {
    this.options.stopStarting.abort();
    this.#early.resolve(ending);
  }

  /** Resolves when no more starts are due. If time bounds the load, due starts may still wait to be sent. */
  async #lastDue(allStarted: Promise<void>, signal: AbortSignal): Promise<void> {
    const lengthMs = lengthOf(this.options.plan);
    const over = AbortSignal.any([signal, this.options.stopStarting.signal]);
    await (lengthMs === undefined ? allStarted : wait(lengthMs, over));
  }
}
