import { z } from "zod";
import { parseTransport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { parseCollectorUrl } from "../otlp/collector-url.js";
import { count, readFlags } from "../plan/flag-values.js";
import { generatorsFlag, refuseWithGenerators } from "../plan/generators-flag.js";
import { parsePlan, type LoadPlan } from "../plan/plan.js";
import { plannedCostOf } from "../plan/planned-cost.js";
import { runIdFlag } from "../plan/run-id.js";
import { shardedPlan, shardFlags, startAtOf, type WholeRunFlag } from "../plan/shard-flags.js";
import { parseSpendLimits, withinSpend, type SpendLimits } from "../plan/spend-guard.js";
import type { PlanCost } from "../result/plan-cost.js";
import { DEFAULT_REPLAY, parseReplay } from "../protocol/replay.js";
import { parseThreshold, type Threshold } from "../stats/threshold.js";

const MOST_REPEATS = 1_000;
const MOST_PORT = 65_535;
const LIVE_PORT = 9480;

const file = z.string().optional();

const runFlags = z.object({
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
  transport: z.string().transform(parseTransport).optional(),
  replay: z.string().transform(parseReplay).default(DEFAULT_REPLAY),
  leave: z.boolean().default(false),
  quiet: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  printPlan: z.boolean().default(false),
  purge: z.boolean().default(false),
  threshold: z.array(z.string()).default([]),
  abortOnFail: z.boolean().default(false),
  allowInvalid: z.boolean().default(false),
  repeat: count("--repeat", 1, MOST_REPEATS).default(1),
  baseline: z.array(z.string()).default([]),
  runId: runIdFlag.optional(),
  ...shardFlags,
  generators: generatorsFlag,
  metricsPort: count("--metrics-port", 0, MOST_PORT, "a port such as 9464").optional(),
  /** The port of the live page. */
  live: z
    .union([z.literal(true).transform(() => LIVE_PORT), count("--live", 0, MOST_PORT, "a port such as 9480")])
    .optional(),
  otlp: z.string().transform(parseCollectorUrl).optional(),
  liveKeep: z.boolean().default(false),
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  html: file,
  markdown: file,
  junit: file,
  csv: file,
  text: file,
});

/** The flags of `fanout run`, read once, and validated as far as possible without a file or a backend. */
export interface RunCall extends Omit<z.output<typeof runFlags>, "threshold" | "shard" | "startAt" | "startIn"> {
  readonly plan: LoadPlan;
  /** The cost of one run of the plan, of all its shards. */
  readonly cost: PlanCost;
  /** When the first start is due; undefined as soon as the run is ready. */
  readonly startAtMs: number | undefined;
  readonly limits: SpendLimits;
  readonly thresholds: readonly Threshold[];
}

/** @throws UsageError that names the flag, what was expected and what was found */
export function parseRunCall(rawFlags: unknown): RunCall {
  const asked = parsePlan(rawFlags);
  const limits = parseSpendLimits(rawFlags);
  const { threshold, ...flags } = readFlags(runFlags, rawFlags);
  if (flags.abortOnFail && threshold.length === 0)
    throw new UsageError("missing-flag", "--abort-on-fail: expected a --threshold with it");
  if (flags.liveKeep && flags.live === undefined)
    throw new UsageError("missing-flag", "--live-keep: expected --live with it");
  if (flags.generators !== undefined) refuseWithGenerators(flags);

  const whole = withinSpend(asked, limits, flags.repeat);
  const startAtMs = startAtOf(flags, Date.now());
  const wholeRunFlags = wholeRunFlagsOf({ ...flags, threshold });
  const plan = flags.shard ? shardedPlan(whole, flags.shard, { ...flags, startAtMs, wholeRunFlags }) : whole;
  const thresholds = threshold.map((text) => parseThreshold(text, plan.orchestrations));
  return { ...flags, plan, cost: plannedCostOf(whole), startAtMs, limits, thresholds };
}

function wholeRunFlagsOf(
  flags: Pick<z.output<typeof runFlags>, "threshold" | "abortOnFail" | "baseline" | "purge" | "repeat">,
): readonly WholeRunFlag[] {
  const { threshold, abortOnFail, baseline, purge, repeat } = flags;
  const isGiven = {
    threshold: threshold.length > 0,
    abortOnFail,
    baseline: baseline.length > 0,
    purge,
    repeat: repeat > 1,
  } satisfies Record<WholeRunFlag, boolean>;
  return (Object.keys(isGiven) as WholeRunFlag[]).filter((name) => isGiven[name]);
}
