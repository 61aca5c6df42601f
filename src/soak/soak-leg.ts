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

/** The load from one start of the generator to its end, judged interval by interval. */
export class SoakLeg {
  readonly #meter = new IntervalMeter();
  readonly #test: LoadTest;
  /** The work of one interval behind that of the one before. */
  #behind: Promise<void> = Promise.resolve();
  #isTold = false;

  constructor(readonly options: SoakLegOptions) {
    this.#test = new LoadTest({
      ...options,
      clock: clientClock,
      leave: false,
      onCompletion: (completion: Completion) => this.#meter.add(completion),
    });
  }

  snapshot(): LiveSnapshot {
    return this.#test.snapshot();
  }

  /** Ends the load before its time. */
  stop(reason: string): void {
    this.#test.abort(reason);
  }

  async run(): Promise<LoadTestOutcome> {
    const timer = setInterval(() => void this.#look(), this.options.everyMs);
    try {
      const outcome = await this.#test.run();
      clearInterval(timer);
      // The last interval has no whole length: it is a checkpoint, and is not judged.
      await this.#checkpoint(await this.#interval());
      await this.#behind;
      return outcome;
    } finally {
      clearInterval(timer);
      await this.#test.close();
    }
  }

  async #look(): Promise<void> {
    const interval = await this.#interval();
    if (interval === undefined) return;
    this.#behind = this.#behind.then(() => this.#checkpoint(interval));
    // While the last orchestrations end, fewer complete. That is no fault.
    const { elapsedMs, lengthMs = elapsedMs } = this.#test.snapshot();
    if (interval.warmup || elapsedMs > lengthMs) return;
    for (const change of this.options.alarms.add(interval)) {
      const moment = {
        interval,
        oldest: this.#test.oldestInFlight(OLDEST),
        rpcErrorsByCall: this.#test.resultSoFar()?.counts.rpcErrorsByCall ?? {},
      };
      this.#behind = this.#behind.then(() => this.#told(() => this.options.onChange(change, moment)));
    }
  }

  async #interval(): Promise<SoakInterval | undefined> {
    const { backend, number, plan } = this.options;
    const status = await backend.admin?.status().catch(() => undefined);
    return this.#meter.take({
      leg: number,
      endedMs: Date.now(),
      warmupMs: plan.warmupMs ?? 0,
      snapshot: this.#test.snapshot(),
      workers: status?.workers,
    });
  }

  async #checkpoint(interval: SoakInterval | undefined): Promise<void> {
    if (interval) await this.#told(() => this.options.onInterval(interval));
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
