import { z } from "zod";
import { UsageError } from "../errors.js";
import { COUNT_EXPECTED, formatCount, parseCount } from "../format/count.js";
import { DURATION_EXPECTED, parseDuration } from "../format/duration.js";

/** More than this is a day's work for a laptop, and an orchestration's history has to fit into a worker's memory. */
const MOST_ACTIVITIES_IN_ONE = 1_000_000;
/** Every instance is waited for by a call of its own. */
const MOST_ORCHESTRATIONS = 100_000;
const MOST_WORKERS = 64;
/** A Node timer set for longer than 2^31 ms fires at once. */
const LONGEST_TIMEOUT_MS = 24 * 24 * 3_600_000;

const WORKER_WARNING_MS = 10_000;
const WORKER_DEADLINE_MS = 60_000;

/** What a run does: validated once, changed never. */
export interface LoadPlan {
  readonly iterations: number;
  readonly parallelActivities: number;
  /** Started at once. */
  readonly parallelOrchestrations: number;
  /** `auto`: start own workers where the embedded emulator has none. */
  readonly workers: "auto" | number;
  /** Counted from the last start. */
  readonly timeoutMs: number;
  /** After this long without a worker a person is told what to start. */
  readonly workerWarningMs: number;
  /** After this long without a worker, and with nobody at a terminal to start one, the run gives up. */
  readonly workerDeadlineMs: number;
}

/** The flags of `fanout run` that make up its plan, as commander hands them over. */
const planFlags = z.object({
  iterations: count("--iterations", 1, MOST_ACTIVITIES_IN_ONE),
  parallelActivities: count("--parallel-activities", 1, MOST_ACTIVITIES_IN_ONE),
  parallelOrchestrations: count("--parallel-orchestrations", 1, MOST_ORCHESTRATIONS),
  workers: z.union([z.literal("auto"), count("--workers", 0, MOST_WORKERS, "auto or a whole number such as 2")]),
  timeout: duration("--timeout"),
  workerTimeout: duration("--worker-timeout").optional(),
});

/**
 * Reads a plan from flags.
 * @throws UsageError that names the flag, what was expected and what was found
 */
export function parsePlan(flags: unknown): LoadPlan {
  const parsed = planFlags.safeParse(flags);
  if (!parsed.success) throw new UsageError(parsed.error.issues.map(messageOf).join("\nerror: "));
  const { timeout, workerTimeout, ...plan } = parsed.data;
  const activities = plan.iterations * plan.parallelActivities;
  if (activities > MOST_ACTIVITIES_IN_ONE) {
    throw new UsageError(
      `--iterations x --parallel-activities: expected at most ${formatCount(MOST_ACTIVITIES_IN_ONE)} activities in ` +
        `one orchestration, found ${formatCount(activities)}; use --parallel-orchestrations to spread them`,
    );
  }
  return {
    ...plan,
    timeoutMs: timeout,
    workerWarningMs: workerTimeout ?? WORKER_WARNING_MS,
    workerDeadlineMs: workerTimeout ?? WORKER_DEADLINE_MS,
  };
}

function count(flag: string, least: number, most: number, expected: string = COUNT_EXPECTED) {
  return z.string().transform((text, context) => {
    const value = parseCount(text);
    if (value !== undefined && value >= least && value <= most) return value;
    const range =
      value === undefined
        ? expected
        : value < least
          ? `at least ${formatCount(least)}`
          : `at most ${formatCount(most)}`;
    context.addIssue({ code: "custom", message: `${flag}: expected ${range}, found "${text}"` });
    return z.NEVER;
  });
}

function duration(flag: string) {
  return z.string().transform((text, context) => {
    const ms = parseDuration(text);
    if (ms !== undefined && ms > 0 && ms <= LONGEST_TIMEOUT_MS) return ms;
    const expected = ms === undefined ? DURATION_EXPECTED : ms > 0 ? "at most 576h" : "more than 0";
    context.addIssue({ code: "custom", message: `${flag}: expected ${expected}, found "${text}"` });
    return z.NEVER;
  });
}

/** A union hides the reasons of its members: the last one, the most specific, is what a person wants to read. */
function messageOf(issue: z.core.$ZodIssue): string {
  const nested = issue.code === "invalid_union" ? issue.errors.at(-1)?.[0] : undefined;
  return nested?.message ?? issue.message;
}
