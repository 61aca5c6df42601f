/** What one probe says of its level: a rate of starts per second, or a number in flight. */
export interface ProbedLevel {
  readonly level: number;
  /** `invalid`: the generator itself was the limit, so that the probe says nothing of the backend. */
  readonly outcome: "held" | "missed" | "invalid";
}

export interface SearchBounds {
  /** The first level. */
  readonly from: number;
  /** The interval is narrow enough when its ends are at most this share apart. */
  readonly precision: number;
  /** The lowest and the highest level that are worth a probe. */
  readonly least: number;
  readonly most: number;
  /** Levels are whole numbers. */
  readonly whole: boolean;
}

type Purpose = "grow" | "shrink" | "bisect" | "confirm";

export type NextStep =
  | {
      readonly kind: "probe";
      readonly level: number;
      readonly purpose: Purpose;
      /** The relative difference of levels that the probe has to tell apart. */
      readonly resolution: number;
    }
  | { readonly kind: "done" };

/** What the probes so far say together. */
export interface Findings {
  /** The highest level that held; absent if none did. */
  readonly held?: number;
  /** The lowest level above it that did not hold; absent if none is known. */
  readonly missed?: number;
  /** The lowest level above `held` at which the generator was the limit. */
  readonly generatorLimit?: number;
  /** The ends are within the precision. */
  readonly narrow: boolean;
  /** Three probes agree at each end. */
  readonly confirmed: boolean;
  /** Levels whose probes disagree: the capacity drifts, or lies there. In the order of the levels. */
  readonly disagreements: readonly Disagreement[];
}

interface Disagreement {
  readonly level: number;
  /** The outcomes in the order of time. */
  readonly outcomes: readonly ("held" | "missed")[];
}

const GROWTH = 2;
/** A backend that misses at the first level may be far below it. */
const SHRINKAGE = 4;
/** Probes that have to agree at each end of the interval. */
const AGREEING = 3;
/** An invalid probe may have been a moment of the machine. Three are its limit. */
const INVALID_PROBES = 3;
/** A backend that drifts would otherwise be searched for ever. After this many, the interval stays as wide as it is. */
const MOST_PROBES = 24;

/** The next step of a search, from the probes so far in the order of time. Pure: the same probes give the same step. */
export function nextStep(bounds: SearchBounds, probes: readonly ProbedLevel[]): NextStep {
  const levels = tallied(probes);
  const doubtful = levels.find((level) => level.kind === "invalid" && level.invalid < INVALID_PROBES);
  if (doubtful) return probe(doubtful.level, "confirm", bounds.precision);
  if (probes.length >= MOST_PROBES) return { kind: "done" };
  const tied = levels.find(({ held, missed }) => held > 0 && held === missed);
  if (tied) return probe(tied.level, "confirm", bounds.precision);

  const { held, missed, generatorLimit } = endsOf(levels);
  if (generatorLimit !== undefined && (held === undefined || missed === undefined)) return { kind: "done" };
  if (held === undefined && missed === undefined) return probe(bounds.from, "grow", GROWTH - 1);
  if (missed === undefined) {
    return held!.level >= bounds.most
      ? { kind: "done" }
      : probe(Math.min(bounds.most, held!.level * GROWTH), "grow", GROWTH - 1);
  }
  if (held === undefined) {
    return missed.level <= bounds.least
      ? { kind: "done" }
      : probe(Math.max(bounds.least, rounded(missed.level / SHRINKAGE, bounds)), "shrink", GROWTH - 1);
  }
  if (generatorLimit === undefined && !isNarrow(held.level, missed.level, bounds)) {
    const middle = rounded(Math.sqrt(held.level * missed.level), bounds);
    return probe(middle, "bisect", Math.sqrt(missed.level / held.level) - 1);
  }
  const unconfirmed = [held, missed]
    .filter((end) => !isConfirmed(end))
    .toSorted((a, b) => Math.max(a.held, a.missed) - Math.max(b.held, b.missed))[0];
  return unconfirmed ? probe(unconfirmed.level, "confirm", bounds.precision) : { kind: "done" };
}

/** What the probes so far say, also if the search was cut short. */
export function findingsOf(bounds: SearchBounds, probes: readonly ProbedLevel[]): Findings {
  const levels = tallied(probes);
  const { held, missed, generatorLimit } = endsOf(levels);
  const disagreements = levels.flatMap(({ level, held, missed }) => {
    if (held === 0 || missed === 0) return [];
    const outcomes = probes.flatMap((each) =>
      each.level === level && each.outcome !== "invalid" ? [each.outcome] : [],
    );
    return [{ level, outcomes }];
  });
  return {
    ...(held && { held: held.level }),
    ...(missed && { missed: missed.level }),
    ...(generatorLimit !== undefined && { generatorLimit }),
    narrow: held !== undefined && missed !== undefined && isNarrow(held.level, missed.level, bounds),
    confirmed: held !== undefined && missed !== undefined && isConfirmed(held) && isConfirmed(missed),
    disagreements,
  };
}

/** The outcomes at one level, and what the majority of them says. */
interface Tally {
  readonly level: number;
  readonly held: number;
  readonly missed: number;
  readonly invalid: number;
  /** A tie is missed, until another probe decides. */
  readonly kind: ProbedLevel["outcome"];
}

/** In the order of the levels. */
function tallied(probes: readonly ProbedLevel[]): readonly Tally[] {
  const byLevel = Map.groupBy(probes, ({ level }) => level);
  return [...byLevel]
    .map(([level, ofLevel]): Tally => {
      const count = (outcome: ProbedLevel["outcome"]) => ofLevel.filter((each) => each.outcome === outcome).length;
      const [held, missed, invalid] = [count("held"), count("missed"), count("invalid")];
      const kind = held + missed === 0 ? "invalid" : held > missed ? "held" : "missed";
      return { level, held, missed, invalid, kind };
    })
    .toSorted((a, b) => a.level - b.level);
}

function endsOf(levels: readonly Tally[]) {
  const missed = levels.find(({ kind }) => kind === "missed");
  const below = levels.filter(({ level }) => missed === undefined || level < missed.level);
  const held = below.findLast(({ kind }) => kind === "held");
  const generatorLimit = below.find(({ kind, level }) => kind === "invalid" && level > (held?.level ?? 0))?.level;
  return { held, missed, generatorLimit };
}

function isNarrow(held: number, missed: number, { precision, whole }: SearchBounds): boolean {
  return missed <= held * (1 + precision) || (whole && missed - held <= 1);
}

function isConfirmed({ held, missed }: Tally): boolean {
  return Math.max(held, missed) >= AGREEING;
}

function rounded(level: number, { whole }: SearchBounds): number {
  // Four digits: a level has to be readable, and to be the same when it is asked for again.
  return whole ? Math.max(1, Math.round(level)) : Number(level.toPrecision(4));
}

function probe(level: number, purpose: Purpose, resolution: number): NextStep {
  return { kind: "probe", level, purpose, resolution };
}
