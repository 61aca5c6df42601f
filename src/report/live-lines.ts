import { wrapped } from "../format/wrap.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { elapsedText, latencyText, loadText, ofTotal, ratesText, troubleText } from "./live-text.js";
import type { LiveView } from "./live-view.js";
import type { OutputStream } from "./output-stream.js";
import { RateWindow } from "./rate-window.js";
import { styleFor } from "./text-style.js";

const RATE_WINDOW_MS = 5_000;

/**
 * The live view without a terminal: a plain line from time to time, less often in longer runs, so that a log stays
 * readable.
 */
export class LiveLines implements LiveView {
  readonly #rate = new RateWindow(RATE_WINDOW_MS);
  #timer: NodeJS.Timeout | undefined;

  constructor(
    readonly stream: OutputStream,
    readonly snapshot: () => LiveSnapshot,
  ) {}

  start(): void {
    this.#rate.add(0, 0);
    this.#scheduleNext(0);
  }

  line(text: string): void {
    this.stream.write(`${wrapped(text, styleFor(this.stream).columns).join("\n")}\n`);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #scheduleNext(elapsedMs: number): void {
    this.#timer = setTimeout(() => {
      const snapshot = this.snapshot();
      const rate = this.#rate.add(snapshot.elapsedMs, snapshot.activities.completed);
      this.line(progressLine(snapshot, rate));
      this.#scheduleNext(snapshot.elapsedMs);
    }, pauseAfterMs(elapsedMs));
  }
}

/** The pause between two lines in a run that has lasted this long: 2 s at first, then 5, 10, 30 and 60 s. */
export function pauseAfterMs(elapsedMs: number): number {
  if (elapsedMs < 10_000) return 2_000;
  if (elapsedMs < 60_000) return 5_000;
  if (elapsedMs < 5 * 60_000) return 10_000;
  return elapsedMs < 30 * 60_000 ? 30_000 : 60_000;
}

/** `12 s: 10 of 200 orchestrations, 1,000 of 20,000 activities, activities 83.3/s now, 83.3/s on average` */
export function progressLine(snapshot: LiveSnapshot, nowPerSecond: number | undefined): string {
  const { orchestrations, activities, lengthMs } = snapshot;
  const counts = [
    `${ofTotal(orchestrations.ended, orchestrations.total)} orchestrations`,
    activities.total > 0 ? `${ofTotal(activities.completed, activities.total)} activities` : undefined,
  ];
  const parts = [
    ...(lengthMs === undefined ? counts : [loadText(snapshot)]),
    ratesText(snapshot, nowPerSecond),
    latencyText(snapshot),
    troubleText(snapshot),
  ];
  return `${elapsedText(snapshot.elapsedMs)}: ${parts.filter((part) => part !== undefined).join(", ")}`;
}
