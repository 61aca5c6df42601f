import { formatCount } from "./count.js";
import { formatDuration } from "./duration.js";

/** This many similar lines are written at once. Further ones within the pause are counted. */
const MOST_AT_ONCE = 5;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 60_000;
/** More kinds of lines than any program of ours prints. */
const MOST_KINDS = 1_000;

interface Kind {
  written: number;
  /** The number of lines since the last written one, and the latest of them. */
  held: number;
  last: string;
  pauseMs: number;
  timer: NodeJS.Timeout;
}

/** Writes lines. Of lines that differ only in numbers it writes a few, and then their number. */
export class RepeatedLines {
  readonly #write: (line: string) => void;
  readonly #kinds = new Map<string, Kind>();

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  add(line: string): void {
    const key = line.replaceAll(/\d+/gu, "#");
    const kind = this.#kinds.get(key);
    if (kind === undefined) {
      this.#write(line);
      if (this.#kinds.size < MOST_KINDS) {
        const timer = this.#pause(key, FIRST_PAUSE_MS);
        this.#kinds.set(key, { written: 1, held: 0, last: line, pauseMs: FIRST_PAUSE_MS, timer });
      }
    } else if (kind.written < MOST_AT_ONCE) {
      kind.written += 1;
      this.#write(line);
    } else {
      kind.held += 1;
      kind.last = line;
    }
  }

  /** Writes the held lines. */
  flush(): void {
    for (const kind of this.#kinds.values()) {
      clearTimeout(kind.timer);
      this.#tell(kind);
    }
    this.#kinds.clear();
  }

  #pause(key: string, ms: number): NodeJS.Timeout {
    return setTimeout(() => this.#review(key), ms).unref();
  }

  /** Lines that have stopped for a while are new when they return. */
  #review(key: string): void {
    const kind = this.#kinds.get(key)!;
    if (kind.held === 0) {
      this.#kinds.delete(key);
      return;
    }
    this.#tell(kind);
    kind.held = 0;
    kind.pauseMs = Math.min(kind.pauseMs * 2, LONGEST_PAUSE_MS);
    kind.timer = this.#pause(key, kind.pauseMs);
  }

  #tell({ held, last, pauseMs }: Kind): void {
    if (held > 0) this.#write(`${last} (and ${formatCount(held)} like it within ${formatDuration(pauseMs)})`);
  }
}
