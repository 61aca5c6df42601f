import type { Absence, Reachability } from "../backend/reachability.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import type { Outage } from "../result/run-result.js";

/** A shorter absence is repaired by a repeated call before a person could act on it. */
const TOLD_AFTER_MS = 2_000;
const MOST_KEPT = 100;
const LONGEST_REASON = 200;

export interface OutageWatchOptions {
  readonly reachability: Reachability;
  /** Milliseconds from the start of the run. */
  readonly sinceStartMs: () => number;
  readonly maxOutageMs: number;
  readonly onLine: (line: string) => void;
  /** The backend stayed away for too long. */
  readonly onGivenUp: (reason: string) => void;
}

/** Reports the begin and the end of each outage of a backend, and keeps them for the result. */
export class OutageWatch {
  readonly #ended: Outage[] = [];
  #open: Absence | undefined;
  #isGivenUp = false;

  constructor(readonly options: OutageWatchOptions) {}

  /** Call it several times a second. */
  beat(): void {
    const { reachability, maxOutageMs, onLine, onGivenUp } = this.options;
    const { absence } = reachability;
    if (this.#open && absence?.sinceMs !== this.#open.sinceMs) {
      const { open: _open, ...outage } = this.#outage(this.#open);
      if (this.#ended.length < MOST_KEPT) this.#ended.push(outage);
      this.#open = undefined;
      onLine(`the backend answers again, after ${formatDuration(outage.lengthMs)}`);
    }
    if (!absence || performance.now() - absence.sinceMs < TOLD_AFTER_MS) return;
    if (!this.#open) onLine(this.#line(absence));
    this.#open = absence;
    if (performance.now() - absence.sinceMs < maxOutageMs || this.#isGivenUp) return;
    this.#isGivenUp = true;
    onGivenUp(`the backend did not answer for ${formatDuration(maxOutageMs)} (--max-outage)`);
  }

  /** The outage in progress. */
  get current(): Outage | undefined {
    return this.#open && this.#outage(this.#open);
  }

  /** In the order of time. */
  get outages(): readonly Outage[] {
    const { current } = this;
    return current ? [...this.#ended, current] : this.#ended;
  }

  #outage({ sinceMs, found }: Absence): Outage {
    const lengthMs = performance.now() - sinceMs;
    const fromMs = Math.max(0, this.options.sinceStartMs() - lengthMs);
    return { fromMs, lengthMs, open: true, found: reasonOf(found) };
  }

  #line({ found, sinceMs }: Absence): string {
    const { maxOutageMs, sinceStartMs } = this.options;
    const fromMs = Math.max(0, sinceStartMs() - (performance.now() - sinceMs));
    const since = `no call has been answered since ${formatDuration(fromMs)} into the run`;
    return `the backend is away: ${since} (${reasonOf(found)}); trying again for ${formatDuration(maxOutageMs)} (--max-outage)`;
  }
}

function reasonOf(found: string): string {
  return oneLine(found).slice(0, LONGEST_REASON);
}
