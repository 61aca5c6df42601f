import { UsageError } from "../../errors.js";
import { parseBytes } from "../../format/byte-count.js";

/** How long and how much is kept of what has ended; what is undefined has no limit. */
export interface Retention {
  readonly ageMs: number | undefined;
  /** Of the database, without what is free in it. */
  readonly bytes: number | undefined;
  /** Of instances that a run of fanout has started and named by itself; undefined: as of all others. */
  readonly runAgeMs?: number | undefined;
}

export const DEFAULT_RETENTION = "7d,4GB";
/** Load tests fill a disk in an afternoon, and their results are in files by then. It goes with the default alone. */
const DEFAULT_RUN_AGE_MS = 86_400_000;

/**
 * What the flag says, else `FANOUT_RETENTION`, else the default, which keeps runs of fanout for a day.
 * @throws UsageError that names the flag or the variable, and what was found
 */
export function chosenRetention(flag: string | undefined, env: NodeJS.ProcessEnv = process.env): Retention {
  if (flag !== undefined) return parseRetention("--retention", flag);
  if (env["FANOUT_RETENTION"]) return parseRetention("FANOUT_RETENTION", env["FANOUT_RETENTION"]);
  return { ...parseRetention("the default", DEFAULT_RETENTION), runAgeMs: DEFAULT_RUN_AGE_MS };
}

/** By size, nothing is deleted that has ended so recently: a run that still counts its results has to find them. */
const YOUNG_MS = 3_600_000;

const AGES: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const AGE = /^(\d+(?:\.\d+)?)([mhd])$/u;
/** A size without a unit is none, for it is beside an age that has one. */
const UNIT = /[a-z]$/iu;

/**
 * Reads `7d`, `2GB`, `7d,2GB` or `none`; `source` is the flag or variable that it stands in.
 * @throws UsageError that names the source and what was found
 */
export function parseRetention(source: string, text: string): Retention {
  const retention: { ageMs: number | undefined; bytes: number | undefined } = { ageMs: undefined, bytes: undefined };
  if (text.trim() === "none") return retention;

  for (const part of text.split(",")) {
    const [, number, unit = ""] = AGE.exec(part.trim()) ?? [];
    const name = number === undefined ? "bytes" : "ageMs";
    const value = number === undefined ? sizeOf(part) : Math.round(Number(number) * (AGES[unit] ?? NaN));
    // Not for 0, which would delete what somebody is about to read, and not twice.
    if (value === undefined || value <= 0 || retention[name] !== undefined) {
      throw new UsageError(
        "invalid-value",
        `${source}: expected an age in m, h or d, a size such as 500MB, both as in 7d,2GB, or none, found "${text}"`,
      );
    }
    retention[name] = value;
  }
  return retention;
}

function sizeOf(text: string): number | undefined {
  return UNIT.test(text.trim()) ? parseBytes(text) : undefined;
}

/** Instances that had ended by this time are deleted now, microseconds since the epoch; 0 where nothing is. */
export function deletedUntilUs(retention: Retention, nowUs: number, usedBytes: number): number {
  const byAge = retention.ageMs === undefined ? 0 : nowUs - retention.ageMs * 1000;
  const bySize = retention.bytes === undefined || usedBytes <= retention.bytes ? 0 : nowUs - YOUNG_MS * 1000;
  return Math.max(0, byAge, bySize);
}

/** A run's id as fanout makes it up, `r` and the time, with the number of the instance: see `plan/run-id.ts`. */
const OF_A_RUN = /^r[0-9a-z]{12}(?:\.\d+)?-\d{5,10}-\d{3}$/u;

/** Whether `fanout run` has started and named it: ids that somebody chose, and those of `fanout serve`, are others. */
export function isOfRun(instanceId: string): boolean {
  return OF_A_RUN.test(instanceId);
}
