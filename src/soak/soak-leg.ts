import { clientClock } from "../async/clock.js";
import type { Backend } from "../backend/backend.js";
import { LoadTest, type LoadTestOutcome, type Reading } from "../load/load-test.js";
import type { LoadPlan } from "../plan/plan.js";
import type { Replay } from "../protocol/replay.js";
import type { SoakInterval } from "../result/soak-schema.js";
import type { Completion } from "../stats/completion.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { IntervalMeter } from "./interval-meter.js";
import type { SeriesAlarms, SeriesChange } from "./series-alarms.js";
import { WrittenInTurn } from "./written-in-turn.js";

const OLDEST = 20;
/** Intervals that an evidence file shows. */
const SHOWN_INTERVALS = 60;

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
  readonly beginReading: () => Reading;
  readonly onLine: (line: string) => void;
  /** The end of each interval: its checkpoint is written. Rejections are told once. */
  readonly onInterval: (interval: SoakInterval) => Promise<void>;
  readonly onChange: (change: SeriesChange, moment: LegMoment) => Promise<void>;
}

/** What is known of a leg when a series changes. */
export interface LegMoment {
  readonly interval: SoakInterval;
  /** The intervals until then. */
  readonly intervals: readonly SoakInterval[];
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
  /** Apart from the changes, whose evidence takes longer than an interval. */
  readonly #checkpoints: WrittenInTurn;
  readonly #changes: WrittenInTurn;
  #latest: readonly SoakInterval[] = [];
  #workers: number | undefined;
  #stoppedMs: number | undefined;

  constructor(readonly options: SoakLegOptions) {
    this.#test = new LoadTest({
      ...options,
      clock: clientClock,
      onEnding: () => this.#stopped(),
      leave: false,
      onCompletion: (completion: Completion) => this.#meter.add(completion),
    });
    const { onLine } = options;
    this.#checkpoints = new WrittenInTurn({ what: "checkpoints", onLine });
    this.#changes = new WrittenInTurn({ what: "alarms", onLine });
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
      const { lengthMs = 0 } = this.#test.snapshot();
      const { warmupMs = 0 } = plan;
      // The last interval has no whole length: it is a checkpoint, and is not judged.
      this.#add(this.#interval(0));
      await Promise.all([this.#checkpoints.done, this.#changes.done]);
      // The last start is due before the end of the load: what ends at once has made all of it.
      const isWhole = outcome.gaveUp === undefined && !outcome.result.interrupted;
      const sentMs = isWhole ? lengthMs : Math.min(this.#stoppedMs ?? 0, lengthMs);
      const loadMs = Math.max(0, sentMs - warmupMs);
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
        intervals: this.#latest,
        oldest: this.#test.oldestInFlight(OLDEST),
        rpcErrorsByCall: this.#test.resultSoFar()?.counts.rpcErrorsByCall ?? {},
      };
      this.#changes.add(() => this.options.onChange(change, moment));
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
    if (!interval) return;
    this.#latest = [...this.#latest, interval].slice(-SHOWN_INTERVALS);
    this.#checkpoints.add(() => this.options.onInterval(interval));
  }
}
