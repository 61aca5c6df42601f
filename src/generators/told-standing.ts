import { formatDuration } from "../format/duration.js";
import type { StandingPart } from "../stats/merged-standing.js";

/** Each generator tells once a second. Older figures would be those of another moment. */
const OLDEST_MS = 5_000;

/** The parts that can be judged together, or why they cannot. */
type ToldParts =
  | {
      readonly kind: "told";
      readonly parts: readonly StandingPart[];
      /** Up to here all of them are known, in milliseconds from the start of the run. */
      readonly toldMs: number;
    }
  | { readonly kind: "untold"; readonly why: string };

/** What the generators of a run told last of how it stands. */
export class ToldStanding {
  readonly #parts: (StandingPart | undefined)[];
  readonly #ends: ("died" | "ended" | undefined)[];

  constructor(readonly generators: number) {
    this.#parts = Array.from({ length: generators }, () => undefined);
    this.#ends = Array.from({ length: generators }, () => undefined);
  }

  /** `generator` counts from 0. */
  take(generator: number, part: StandingPart): void {
    this.#parts[generator] = part;
  }

  /** What it told last is its whole part, unless it died. */
  end(generator: number, how: "died" | "ended"): void {
    this.#ends[generator] = how;
  }

  /** At this time, in milliseconds from the start of the run. */
  at(elapsedMs: number): ToldParts {
    const parts: StandingPart[] = [];
    let toldMs = elapsedMs;
    for (const [index, part] of this.#parts.entries()) {
      const untold = (what: string): ToldParts => ({ kind: "untold", why: `generator ${index + 1} ${what}` });
      const end = this.#ends[index];
      if (end === "died") return untold("died with its figures");
      if (part === undefined) return untold("has not told its figures yet");
      parts.push(part);
      if (end === "ended") continue;
      const agoMs = elapsedMs - part.atMs;
      if (agoMs > OLDEST_MS) return untold(`told its figures ${formatDuration(agoMs)} ago`);
      toldMs = Math.min(toldMs, part.atMs);
    }
    return { kind: "told", parts, toldMs };
  }
}
