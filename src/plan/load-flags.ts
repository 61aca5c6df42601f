import { z } from "zod";
import { UsageError, type ErrorCode } from "../errors.js";
import { plannedStarts, type Load, type LoadShape } from "../result/load-shape.js";
import { formatCount } from "../format/count.js";
import { count, duration } from "./flag-values.js";
import { parseRate, parseStages, RATE_EXPECTED, STAGES_EXPECTED } from "./stages.js";

/** The limit of orchestrations that start at once or are in flight. Each one is held in memory and awaited. */
const MOST_ORCHESTRATIONS = 100_000;
/** The ids of a run keep the order of their numbers up to here. */
const MOST_STARTS = 100_000_000;
const DEFAULT_IN_FLIGHT = 10_000;
const DEFAULT_GRACE_MS = 30_000;

/** The flags of `fanout run` that decide when orchestrations start, as commander returns them. */
export const loadFlags = {
  parallelOrchestrations: count("--parallel-orchestrations", 1, MOST_ORCHESTRATIONS).optional(),
  duration: duration("--duration").optional(),
  total: count("--total", 1, MOST_STARTS).optional(),
  rate: read("--rate", RATE_EXPECTED, parseRate).optional(),
  stages: read("--stages", STAGES_EXPECTED, parseStages).optional(),
  arrival: z.enum(["constant", "poisson"], { error: (issue) => arrivalExpected(issue.input) }).optional(),
  maxInFlight: count("--max-in-flight", 1, MOST_ORCHESTRATIONS).optional(),
  warmup: duration("--warmup").optional(),
  grace: duration("--grace").optional(),
};

type LoadFlags = z.output<z.ZodObject<typeof loadFlags>>;

/** When orchestrations start, and how long the run waits for the last ones. */
export interface LoadTiming extends Load {
  readonly load: LoadShape;
  /** Absent if only `timeoutMs` ends the wait. */
  readonly graceMs?: number;
}

/**
 * The load of the flags: open with a rate or stages, closed with a duration or a total, else all at once.
 * @throws UsageError that names conflicting or missing flags
 */
export function loadOf(flags: LoadFlags): LoadTiming {
  const timing = flags.rate !== undefined || flags.stages !== undefined ? openLoad(flags) : closedOrOnce(flags);
  const starts = plannedStarts(timing) ?? 0;
  if (starts > MOST_STARTS) {
    throw new UsageError(
      "invalid-load",
      `--rate: expected at most ${formatCount(MOST_STARTS)} starts, found ${formatCount(starts)}`,
    );
  }

  if (starts < 1 && timing.load.kind === "open") {
    throw new UsageError(
      "invalid-load",
      "--rate: expected a load that starts something, found none that is due before its end",
    );
  }

  return timing;
}

function openLoad(flags: LoadFlags): LoadTiming {
  const { rate, stages, duration, maxInFlight = DEFAULT_IN_FLIGHT, arrival = "constant" } = flags;
  const flag = rate === undefined ? "--stages" : "--rate";
  const exclude = refuserOf("conflicting-flags", flags);
  exclude(["parallelOrchestrations", "total"], `expected it without ${flag}, which starts by a schedule`);
  if (rate !== undefined && stages !== undefined)
    throw new UsageError("conflicting-flags", "--rate: expected it without --stages");
  if (stages !== undefined) exclude(["duration"], "expected it without --stages, which says how long each stage is");
  else if (duration === undefined)
    throw new UsageError("missing-flag", "--rate: expected --duration with it, such as --duration 1m");
  const steady = { fromPerSecond: rate ?? 0, toPerSecond: rate ?? 0, lengthMs: duration ?? 0 };
  return { load: { kind: "open", arrival, stages: stages ?? [steady], maxInFlight }, ...bounded(flags) };
}

function closedOrOnce(flags: LoadFlags): LoadTiming {
  const { parallelOrchestrations = 1, duration, total } = flags;
  const refuse = refuserOf("missing-flag", flags);
  refuse(["arrival", "maxInFlight"], "expected --rate or --stages with it");
  if (duration === undefined) refuse(["grace"], "expected --duration, --rate or --stages with it");
  if (duration === undefined && total === undefined) {
    refuse(["warmup"], "expected --duration, --total, --rate or --stages with it");
    return { load: { kind: "once" }, parallelOrchestrations };
  }
  const shape = { ...(duration !== undefined && { durationMs: duration }), ...(total !== undefined && { total }) };
  return {
    load: { kind: "closed", ...shape },
    parallelOrchestrations,
    ...(duration === undefined ? warmupOf(flags) : bounded(flags)),
  };
}

function bounded(flags: LoadFlags) {
  return { ...warmupOf(flags), graceMs: flags.grace ?? DEFAULT_GRACE_MS };
}

function warmupOf({ warmup }: LoadFlags) {
  return warmup === undefined ? {} : { warmupMs: warmup };
}

function refuserOf(code: ErrorCode, flags: LoadFlags) {
  return (names: readonly (keyof LoadFlags)[], why: string): void => {
    for (const name of names) if (flags[name] !== undefined) throw new UsageError(code, `${flagOf(name)}: ${why}`);
  };
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
}

function read<T>(flag: string, expected: string, parse: (text: string) => T | undefined) {
  return z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `${flag}: expected ${expected}, found "${text}"` });
    return z.NEVER;
  });
}

function arrivalExpected(found: unknown): string {
  return `--arrival: expected constant or poisson, found ${JSON.stringify(found)}`;
}
