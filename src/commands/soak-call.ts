import { z } from "zod";
import { parseTransport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { duration, readFlags, share } from "../plan/flag-values.js";
import { parsePlan, type LoadPlan } from "../plan/plan.js";
import { runIdFlag } from "../plan/run-id.js";
import { plannedCostOf } from "../plan/planned-cost.js";
import { mostActionsPerSecond, parseSpendLimits, type SpendLimits } from "../plan/spend-guard.js";
import { parseRate, RATE_EXPECTED } from "../plan/stages.js";
import { DEFAULT_REPLAY, parseReplay } from "../protocol/replay.js";
import { costOf, type PlanCost } from "../result/plan-cost.js";
import { LEAST_LEARNED } from "../soak/change-alarm.js";

const LEAST_EVERY_MS = 100;
const MOST_EVERY_MS = 600_000;

const soakFlags = z.object({
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
  transport: z.string().transform(parseTransport).optional(),
  replay: z.string().transform(parseReplay).default(DEFAULT_REPLAY),
  quiet: z.boolean().default(false),
  duration: duration("--duration"),
  at: share("--at", "80% or 0.8").optional(),
  rate: z.string().optional(),
  every: duration("--every"),
  learn: duration("--learn"),
  stopOnAlarm: z.boolean().default(false),
  allowInvalid: z.boolean().default(false),
  runId: runIdFlag.optional(),
  dir: z.string().min(1, "--dir: expected the name of a folder, found nothing").optional(),
  dryRun: z.boolean().default(false),
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
});

/** The flags of `fanout soak`, validated as far as possible without a folder or a backend. */
export interface SoakCall extends Omit<z.output<typeof soakFlags>, "at" | "rate"> {
  readonly plan: LoadPlan;
  readonly ratePerSecond: number;
  readonly cost: PlanCost;
  readonly limits: SpendLimits;
  /** All flags but the connection string, to resume the soak. */
  readonly flags: Readonly<Record<string, unknown>>;
}

/** @throws UsageError that names the flag, what was expected and what was found */
export function parseSoakCall(rawFlags: Readonly<Record<string, unknown>>): SoakCall {
  if (rawFlags["duration"] === undefined) {
    throw new UsageError("missing-flag", "--duration: expected how long to hold the load, found none", {
      hint: "such as --duration 8h",
    });
  }
  const { input } = rawFlags;
  if (typeof input === "string" && !input.startsWith("@")) {
    throw new UsageError("invalid-value", "--input: expected @file, found JSON", {
      hint: "the folder of a soak holds its flags, and must not hold your data",
    });
  }
  if (rawFlags["inputOrder"] === "once") {
    throw new UsageError("conflicting-flags", "--input-order: expected cycle or random, found once", {
      hint: "each leg of a soak begins with the first input",
    });
  }
  const { at, rate, ...flags } = readFlags(soakFlags, rawFlags);
  const limits = parseSpendLimits(rawFlags);
  const ofOnePerSecond = parsePlan({ ...rawFlags, rate: "1/s", timeout: "10m", traceSample: "0" });
  const ratePerSecond = rateOf({ at, rate, limits, cost: costOf(ofOnePerSecond) });
  const plan = withRate(ofOnePerSecond, ratePerSecond);
  checkIntervals(flags);
  const { connectionString: _secret, resume: _resume, ...kept } = rawFlags;
  return { ...flags, plan, ratePerSecond, cost: plannedCostOf(plan), limits, flags: kept };
}

function checkIntervals({ every, learn, duration: length }: Pick<SoakCall, "every" | "learn" | "duration">): void {
  if (every < LEAST_EVERY_MS || every > MOST_EVERY_MS) {
    const bounds = `${formatDuration(LEAST_EVERY_MS)} to ${formatDuration(MOST_EVERY_MS)}`;
    throw new UsageError("invalid-value", `--every: expected ${bounds}, found ${formatDuration(every)}`);
  }
  if (learn < LEAST_LEARNED * every) {
    const expected = `expected at least ${LEAST_LEARNED} intervals of --every, ${formatDuration(LEAST_LEARNED * every)}`;
    throw new UsageError("invalid-value", `--learn: ${expected}, found ${formatDuration(learn)}`);
  }
  if (length <= learn) {
    const expected = `expected longer than --learn, ${formatDuration(learn)}, since no alarm is possible before`;
    throw new UsageError("invalid-value", `--duration: ${expected}, found ${formatDuration(length)}`);
  }
}

interface Offered {
  readonly at: number | undefined;
  readonly rate: string | undefined;
  readonly limits: SpendLimits;
  readonly cost: PlanCost;
}

/** Starts per second. */
function rateOf({ at, rate, limits, cost: { each } }: Offered): number {
  if (rate !== undefined) {
    if (at !== undefined) throw new UsageError("conflicting-flags", "--rate: expected it without --at");
    const perSecond = parseRate(rate);
    if (perSecond !== undefined && perSecond > 0) return perSecond;
    throw new UsageError("invalid-value", `--rate: expected ${RATE_EXPECTED}, found "${rate}"`);
  }
  if (at === undefined) {
    throw new UsageError("missing-flag", "--rate: expected a rate of starts, found none", {
      hint: "such as --rate 50/s, or --at 80% with --capacity-units",
    });
  }
  const { capacityUnits } = limits;
  if (capacityUnits === undefined) {
    throw new UsageError("missing-flag", "--at: expected --capacity-units with it, found none", {
      hint: "such as --at 80% --capacity-units 3",
    });
  }
  if (each === undefined) {
    throw new UsageError("conflicting-flags", "--at: the actions of your own orchestration are not known", {
      hint: "give the rate of its starts with --rate",
    });
  }
  const perSecond = (at * mostActionsPerSecond(capacityUnits)) / each.actions;
  if (perSecond > 0) return perSecond;
  throw new UsageError("invalid-value", `--at: expected more than 0%, found ${formatRate(perSecond)}`);
}

function withRate(plan: LoadPlan, perSecond: number): LoadPlan {
  const { load } = plan;
  if (load.kind !== "open") throw new Error("Expected open load.");
  const stages = load.stages.map((stage) => ({ ...stage, fromPerSecond: perSecond, toPerSecond: perSecond }));
  return { ...plan, load: { ...load, stages } };
}
