import { clientClock } from "../async/clock.js";
import type { Backend } from "../backend/backend.js";
import { errorText } from "../format/error-text.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import type { Replay } from "../protocol/replay.js";
import type { SoakInterval } from "../result/soak-schema.js";
import type { Completion } from "../stats/completion.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { IntervalMeter } from "./interval-meter.js";
import type { SeriesAlarms, SeriesChange } from "./series-alarms.js";

const OLDEST = 20;

export interface SoakLegOptions {
  readonly backend: Backend;
  readonly replay: Replay;
  readonly plan: LoadPlan;
  readonly number: number;
  readonly runId: string;
  readonly everyMs: number;
  readonly alarms: SeriesAlarms;
  readonly attended: boolean;
  readonly interruption: AbortSignal;
  readonly onLine: (line: string) => void;
  /** The end of each interval: its checkpoint is written. Rejections are told once. */
  readonly onInterval: (interval: SoakInterval) => Promise<void>;
  readonly onChange: (change: SeriesChange, moment: LegMoment) => Promise<void>;
}

/** What is known of a leg when a series changes. */
export interface LegMoment {
  readonly interval: SoakInterval;
  /** The oldest instances in flight. */
  readonly oldest: readonly string[];
  readonly rpcErrorsByCall: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** How a leg ended. */
export interface LegOutcome extends LoadTestOutcome {
  /** How long starts were sent, without the warm-up. */
  readonly loadMs: number;
}

/** The load from one start of the generator to its end, judged interval by interval. */
export class SoakLeg {
  readonly #meter = new IntervalMeter();
  readonly #test: LoadTest;
  /** The work of one interval behind that of the one before. */
  #behind: Promise<void> = Promise.resolve();
  #isTold = false;
  #workers: number | undefined;
  #stoppedMs: number | undefined;

  constructor(readonly options: SoakLegOptions) {
    this.#test = new LoadTest({
      ...options,
      clock: clientClock,
      leave: false,
      onCompletion: (completion: Completion) => this.#meter.add(completion),
    });
    const { interruption } = options;
    interruption.addEventListener("abort", () => this.#stopped(), { once: true });
  }

  snapshot(): LiveSnapshot {
    return this.#test.snapshot();
  }

  /** Ends the load before its time. */
  stop(reason: string): void {
    this.#stopped();
    this.#test.abort(reason);
  }

  async run(): Promise<LegOutcome> {
    const { everyMs, plan } = this.options;
    const timer = setInterval(() => this.#look(), everyMs);
    try {
      const outcome = await this.#test.run();
      clearInterval(timer);
      this.#stopped();
      const { lengthMs = 0 } = this.#test.snapshot();
      const { warmupMs = 0 } = plan;
      // The last interval has no whole length: it is a checkpoint, and is not judged.
      this.#add(this.#interval(0));
      await this.#behind;
      const loadMs = Math.max(0, Math.min(this.#stoppedMs ?? 0, lengthMs) - warmupMs);
      return { ...outcome, loadMs };
    } finally {
      clearInterval(timer);
      await this.#test.close();
    }
  }

  #stopped(): void {
    this.#stoppedMs ??= this.#test.snapshot().elapsedMs;
  }

  #look(): void {
    const { everyMs, backend, alarms } = this.options;
    // Of this interval the last answer counts: a backend that hangs must not delay it.
    void backend.admin?.status().then(
      ({ workers }) => (this.#workers = workers),
      () => (this.#workers = undefined),
    );
    const interval = this.#interval(everyMs / 2);
    if (interval === undefined) return;
    this.#add(interval);
    // While the last orchestrations end, fewer complete. That is no fault.
    const { lengthMs = 0 } = this.#test.snapshot();
    if (interval.warmup || interval.elapsedMs > lengthMs || this.#stoppedMs !== undefined) return;
    for (const change of alarms.add(interval)) {
      const moment = {
        interval,
        oldest: this.#test.oldestInFlight(OLDEST),
        rpcErrorsByCall: this.#test.resultSoFar()?.counts.rpcErrorsByCall ?? {},
      };
      this.#inTurn(() => this.options.onChange(change, moment));
    }
  }

  #interval(leastMs: number): SoakInterval | undefined {
    const { number, plan } = this.options;
    return this.#meter.take({
      leg: number,
      endedMs: Date.now(),
      warmupMs: plan.warmupMs ?? 0,
      snapshot: this.#test.snapshot(),
      workers: this.#workers,
      leastMs,
    });
  }

  #add(interval: SoakInterval | undefined): void {
    if (interval) this.#inTurn(() => this.options.onInterval(interval));
  }

  #inTurn(write: () => Promise<void>): void {
    this.#behind = this.#behind.then(() => this.#told(write));
  }

  /** A full disk does not end hours of load. It is told once, and again when it is over. */
  async #told(write: () => Promise<void>): Promise<void> {
    try {
      await write();
      if (this.#isTold) this.options.onLine("checkpoints are written again");
      this.#isTold = false;
    } catch (error) {
      if (!this.#isTold) this.options.onLine(`warning: ${errorText(error)}; the load goes on`);
      this.#isTold = true;
    }
  }
}
