import { getHeapStatistics } from "node:v8";
import { formatBytes } from "../format/bytes.js";

/** Why a worker process ended: it ran out of memory, it exited itself, or it was killed. */
export type DeathCause = "memory" | "itself" | "killed";

export interface WorkerDeath {
  readonly number: number;
  readonly cause: DeathCause;
  readonly livedMs: number;
}

/** The number of deaths in a row after which a worker is given up. Somebody who kills it has a reason, and may stop. */
const MOST_IN_A_ROW: Readonly<Record<DeathCause, number>> = { memory: 3, itself: 5, killed: 30 };
/** A life of this length ends a row. Filling a heap takes longer than any other failure. */
const LONG_LIFE_MS: Readonly<Record<DeathCause, number>> = { memory: 600_000, itself: 60_000, killed: 10_000 };

/** The deaths of a run's own workers, by the number of the worker. It decides whether to restart one. */
export class WorkerDeaths {
  readonly #rows = new Map<number, { readonly cause: DeathCause; readonly count: number }>();

  /** Returns the number of deaths in a row with that cause, and whether the worker is given up. */
  add({ number, cause, livedMs }: WorkerDeath): { readonly inARow: number; readonly isLast: boolean } {
    const row = this.#rows.get(number);
    const inARow = row?.cause === cause && livedMs < LONG_LIFE_MS[cause] ? row.count + 1 : 1;
    this.#rows.set(number, { cause, count: inARow });
    return { inARow, isLast: inARow >= MOST_IN_A_ROW[cause] };
  }
}

/** The stderr of a worker process, without the pages that V8 prints when it runs out of memory. */
export class WorkerStderr {
  readonly #onLine: (line: string) => void;
  #dumping = false;
  #outOfMemory = false;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  get outOfMemory(): boolean {
    return this.#outOfMemory;
  }

  add(line: string): void {
    this.#dumping ||= /^<--- Last few GCs --->|^FATAL ERROR: /u.test(line);
    this.#outOfMemory ||= this.#dumping && /out of memory/iu.test(line);
    if (!this.#dumping && line !== "") this.#onLine(line);
  }
}

/** Describes an end: `exited with code 7`. */
export function describeDeath(code: number | null, signal: NodeJS.Signals | null, cause: DeathCause): string {
  if (cause === "memory") return `ran out of memory (${heapLimit()})`;
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}

/** The next step for a worker that keeps dying. */
export function remedyOf(cause: DeathCause): string {
  if (cause === "memory") {
    return (
      "give the workers more memory (NODE_OPTIONS=--max-old-space-size=4096), or run smaller orchestrations: fewer " +
      "--iterations or --parallel-activities in each, or --continue-as-new-every"
    );
  }
  if (cause === "killed") return "find out who ends it: on Linux, dmesg shows whether the system did it to free memory";
  return "its output above says why";
}

/** Worker processes have the same heap limit as the run. */
function heapLimit(): string {
  const [flag] = /--max[-_]old[-_]space[-_]size=\d+/u.exec(process.env["NODE_OPTIONS"] ?? "") ?? [];
  return flag === undefined
    ? `its heap limit is ${formatBytes(getHeapStatistics().heap_size_limit)}`
    : `NODE_OPTIONS has ${flag}`;
}
