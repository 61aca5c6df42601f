import { z } from "zod";
import { UsageError } from "../errors.js";
import { parseCount } from "../format/count.js";
import { partOf, type Shard } from "../result/shard.js";
import type { LoadPlan } from "./plan.js";
import { duration } from "./flag-values.js";

const MOST_SHARDS = 1_000;
/** A later start is a mistake in the date. */
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** The flags of `fanout run` for one generator of several, as commander returns them. */
export const shardFlags = {
  shard: z
    .string()
    .transform((text, context): Shard => {
      const [, number, of] = /^([^/]+)\/([^/]+)$/u.exec(text)?.map(parseCount) ?? [];
      if (number !== undefined && of !== undefined && number >= 1 && number <= of && of <= MOST_SHARDS)
        return { number, of };
      const expected = `a part such as 2/4, of at most ${MOST_SHARDS}`;
      context.addIssue({ code: "custom", message: `--shard: expected ${expected}, found "${text}"` });
      return z.NEVER;
    })
    .optional(),
  startAt: z.iso
    .datetime({
      offset: true,
      error: ({ input }) => `--start-at: expected a time such as 2030-01-02T03:04:05Z, found "${String(input)}"`,
    })
    .transform((text) => Date.parse(text))
    .optional(),
  startIn: duration("--start-in").optional(),
};

type StartFlags = Pick<z.output<z.ZodObject<typeof shardFlags>>, "startAt" | "startIn">;

/**
 * When the first start is due, in milliseconds since the epoch; undefined as soon as the run is ready.
 * @throws UsageError if both flags say so, or if the time has passed or is more than a day away
 */
export function startAtOf({ startAt, startIn }: StartFlags, nowMs: number): number | undefined {
  if (startAt !== undefined && startIn !== undefined)
    throw new UsageError("conflicting-flags", "--start-in: expected it without --start-at");
  if (startIn !== undefined && startIn > LONGEST_WAIT_MS)
    throw new UsageError("invalid-value", `--start-in: expected at most 24h, found ${startIn} ms`);
  if (startAt !== undefined && !(startAt > nowMs && startAt <= nowMs + LONGEST_WAIT_MS)) {
    const now = new Date(nowMs).toISOString();
    const found = new Date(startAt).toISOString();
    throw new UsageError("invalid-value", `--start-at: expected a time within 24h from now, ${now}, found ${found}`);
  }
  return startAt ?? (startIn === undefined ? undefined : nowMs + startIn);
}

/** What a run cannot do as one shard of several: it sees only its own part. */
const WHOLE_RUN_FLAGS = {
  threshold: "judge the merged result: fanout merge --threshold",
  abortOnFail: "judge the merged result: fanout merge --threshold",
  baseline: "compare the merged result: fanout compare",
  purge: "delete the instances when all shards have ended: fanout purge --run",
  repeat: "repeat the whole run, with another --run-id",
} as const;

export type WholeRunFlag = keyof typeof WHOLE_RUN_FLAGS;

/** The rest of a call that a shard depends on. */
export interface ShardedCall {
  readonly runId?: string | undefined;
  readonly startAtMs: number | undefined;
  /** The flags of the call that only a whole run can have. */
  readonly wholeRunFlags: readonly WholeRunFlag[];
}

/**
 * The plan of one shard. Its own workers would serve the others and end with it, so it starts none unless told to.
 * @throws UsageError that names what a shard cannot do, or what it lacks
 */
export function shardedPlan(plan: LoadPlan, shard: Shard, call: ShardedCall): LoadPlan {
  for (const name of call.wholeRunFlags) {
    const flag = `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
    const problem = `${flag}: expected it without --shard, which sees only a part of the run`;
    throw new UsageError("conflicting-flags", problem, { hint: WHOLE_RUN_FLAGS[name] });
  }
  if (call.runId === undefined) {
    throw new UsageError("missing-flag", "--shard: expected --run-id with it, found none", {
      hint: "all shards of a run have the same one, such as --run-id nightly",
    });
  }
  if (call.startAtMs === undefined) {
    throw new UsageError("missing-flag", "--shard: expected --start-at or --start-in with it, found neither", {
      hint: "all shards begin at the same time, such as --start-in 30s",
    });
  }
  for (const [flag, count] of dividedCounts(plan)) {
    if (partOf(count, { number: shard.of, of: shard.of }) > 0) continue;
    throw new UsageError("invalid-load", `--shard: expected at most ${count} shards, one for each of ${flag} ${count}`);
  }
  return { ...plan, shard, workers: plan.workers === "auto" ? 0 : plan.workers };
}

/** The numbers of a plan of which every shard needs at least one. */
export function dividedCounts({ load, parallelOrchestrations = 1 }: LoadPlan): readonly (readonly [string, number])[] {
  if (load.kind === "open") return [["--max-in-flight", load.maxInFlight]];
  const total = load.kind === "closed" && load.total !== undefined ? ([["--total", load.total]] as const) : [];
  return [["--parallel-orchestrations", parallelOrchestrations], ...total];
}
