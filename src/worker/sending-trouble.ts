import { status, type ServiceError } from "@grpc/grpc-js";
import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { describeError } from "./worker-channel.js";

/** Shorter trouble is not reported. */
const FIRST_LINE_MS = 1_000;
const NEXT_LINE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;

/** The host reports these, because it loses its stream of work items at the same time. */
const OUTAGES: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.CANCELLED]);

/** Reports a backend that accepts no results: a line at the beginning, one at the end, and counts in between. */
export class SendingTrouble {
  /** The number of results that wait. */
  readonly #kept: () => number;
  readonly #onLine: (line: string) => void;
  #sinceMs = 0;
  #attempts = 0;
  #last: ServiceError | undefined;
  #timer: NodeJS.Timeout | undefined;
  #told = false;

  constructor(kept: () => number, onLine: (line: string) => void) {
    this.#kept = kept;
    this.#onLine = onLine;
  }

  /** An attempt failed. */
  add(error: ServiceError): void {
    if (OUTAGES.has(error.code)) return;

    this.#attempts += 1;
    this.#last = error;
    if (this.#timer === undefined) {
      this.#sinceMs = performance.now();
      this.#later(FIRST_LINE_MS, NEXT_LINE_MS);
    }
  }

  /** Results are accepted again. */
  end(): void {
    if (this.#timer === undefined) return;

    if (this.#told)
      this.#onLine(`The backend takes results again, after ${this.#lasted}: none was lost in ${this.#tries}`);

    this.stop();
  }

  /** Stops reporting. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#attempts = 0;
    this.#told = false;
  }

  #later(ms: number, pauseMs: number): void {
    this.#timer = setTimeout(() => {
      const kept = plural(this.#kept(), "result");
      this.#onLine(
        this.#told
          ? `The backend has taken no results for ${this.#lasted}: ${kept} kept, ${this.#tries}`
          : `The backend takes no results: ${kept} kept, and sent again later (${describeError(this.#last)})`,
      );
      this.#told = true;
      this.#later(pauseMs, Math.min(pauseMs * 2, LONGEST_PAUSE_MS));
    }, ms).unref();
  }

  get #lasted(): string {
    return formatDuration(performance.now() - this.#sinceMs);
  }

  get #tries(): string {
    return plural(this.#attempts, "attempt");
  }
}
