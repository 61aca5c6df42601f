import { z } from "zod";
import { parseTransport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { plural } from "../format/count.js";
import { count, duration, readFlags, share } from "../plan/flag-values.js";
import { parsePlan, type LoadPlan } from "../plan/plan.js";
import { runIdFlag } from "../plan/run-id.js";
import { parseSpendLimits, type SpendLimits } from "../plan/spend-guard.js";
import { parseRate, RATE_EXPECTED } from "../plan/stages.js";
import { DEFAULT_REPLAY, parseReplay } from "../protocol/replay.js";
import { figureOf } from "../result/figure.js";
import { parseThresholdOf, type Threshold } from "../stats/threshold.js";

const LEAST_PRECISION = 0.005;
const MOST_IN_FLIGHT = 100_000;

const file = z.string().optional();

const capacityFlags = z.object({
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
  transport: z.string().transform(parseTransport).optional(),
  replay: z.string().transform(parseReplay).default(DEFAULT_REPLAY),
  quiet: z.boolean().default(false),
  slo: z.array(z.string()).default([]),
  closed: z.boolean().default(false),
  from: z.string().optional(),
  atLeast: z.string().optional(),
  precision: share("--precision", "5% or 0.05"),
  maxTime: duration("--max-time"),
  warmup: duration("--warmup").optional(),
  runId: runIdFlag.optional(),
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  html: file,
  text: file,
});

/** Flags of `fanout run` that a search decides by itself, and what to use instead. */
const REFUSED_FLAGS = {
  rate: "the search finds the rate; --from begins with one",
  stages: "the search finds the rate",
  duration: "a probe lasts as long as its objectives need; --max-time bounds the search",
  total: "--max-actions bounds the search",
  parallelOrchestrations: "the search finds the number in flight with --closed; --from begins with one",
  timeout: "use --grace for a probe and --max-time for the search",
  threshold: "use --slo for the objective, and --at-least for a gate",
  repeat: "the search repeats the probes at both ends of the interval",
  baseline: "use --at-least for a gate",
  leave: "a probe ends its own work before the next one begins",
} as const;

/** The flags of `fanout capacity`, validated as far as possible without a file or a backend. */
export interface CapacityCall extends Omit<z.output<typeof capacityFlags>, "slo" | "from" | "atLeast" | "closed"> {
  readonly load: "open" | "closed";
  /** The work of each orchestration, arrivals, grace, workers. Its rate means nothing. */
  readonly plan: LoadPlan;
  readonly objectives: readonly [Threshold, ...Threshold[]];
  readonly from: number | undefined;
  readonly atLeast: number | undefined;
  readonly limits: SpendLimits;
}

/** @throws UsageError that names the flag, what was expected and what was found */
export function parseCapacityCall(rawFlags: Readonly<Record<string, unknown>>): CapacityCall {
  refuseOthers(rawFlags);
  const { slo, closed, from, atLeast, ...flags } = readFlags(capacityFlags, rawFlags);
  const load = closed ? "closed" : "open";
  if (rawFlags["inputOrder"] === "once") {
    throw new UsageError("conflicting-flags", "--input-order: expected cycle or random, found once", {
      hint: "a search starts as much as the backend carries",
    });
  }
  if (closed && rawFlags["arrival"] !== undefined)
    throw new UsageError("conflicting-flags", "--arrival: expected it without --closed, which has no schedule");
  if (flags.precision < LEAST_PRECISION) {
    const found = `found "${String(rawFlags["precision"])}"`;
    throw new UsageError("invalid-value", `--precision: expected at least 0.5%, ${found}`);
  }
  return {
    ...flags,
    load,
    plan: parsePlan({ ...rawFlags, rate: "1/s", duration: "1s", timeout: "10m" }),
    objectives: objectivesOf(slo, load),
    from: levelOf("--from", from, load),
    atLeast: levelOf("--at-least", atLeast, load),
    limits: parseSpendLimits(rawFlags),
  };
}

/** @throws UsageError if nothing bounds what a search starts on a backend that bills it */
export function requireMaxActions({ limits, plan }: CapacityCall): void {
  if (limits.maxActions !== undefined) return;
  const bound =
    plan.orchestrator === undefined
      ? "bound it with --max-actions, such as --max-actions 1M"
      : `the actions of ${plan.orchestrator} are unknown: bound its starts with --max-actions, such as --max-actions 10k`;
  throw new UsageError(
    "spend-limit",
    "a search starts as much as the backend carries, and a backend other than the emulator may bill it",
    { hint: bound },
  );
}

/** What `--max-actions` means where the actions of a start are unknown; undefined where they are not. */
export function startsBoundLine({ limits: { maxActions }, plan }: CapacityCall): string | undefined {
  if (maxActions === undefined || plan.orchestrator === undefined) return undefined;
  const starts = plural(maxActions, "start");
  return `--max-actions: the search makes at most ${starts}, since the actions of ${plan.orchestrator} are unknown`;
}

function refuseOthers(rawFlags: Readonly<Record<string, unknown>>): void {
  for (const [name, instead] of Object.entries(REFUSED_FLAGS)) {
    if (rawFlags[name] === undefined) continue;
    const flag = `--${name.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError("conflicting-flags", `${flag}: expected none, since \`fanout capacity\` sets it`, {
      hint: instead,
    });
  }
}

function objectivesOf(texts: readonly string[], load: "open" | "closed"): readonly [Threshold, ...Threshold[]] {
  const example = load === "open" ? "--slo 'p99<2s'" : "--slo 'service p99<5s'";
  const [first, ...rest] = texts.map((text) => objectiveOf(text, load));
  if (first) return [first, ...rest];
  throw new UsageError("missing-flag", "--slo: expected at least one objective, found none", {
    hint: `a search needs it, such as ${example}`,
  });
}

/** Figures that more load makes worse: only of those is there a highest load that holds. */
function objectiveOf(text: string, load: "open" | "closed"): Threshold {
  const objective = parseThresholdOf("--slo", text);
  const { expression, figure, operator } = objective;
  const { path } = figure;
  const isErrors = [figureOf("errors"), figureOf("rpcErrors"), figureOf("longest stall")].includes(figure);
  if (!operator.startsWith("<") || !(isErrors || path?.startsWith("latencyMs."))) {
    throw new UsageError(
      "unmeasurable-threshold",
      `--slo '${expression}': expected an upper bound of what more load makes worse, such as 'p99<2s' or 'errors<0.1%'`,
      { hint: "for a throughput use --at-least" },
    );
  }
  if (load === "closed" && path?.startsWith("latencyMs.response.")) {
    throw new UsageError(
      "unmeasurable-threshold",
      `--slo '${expression}': closed load has no response time, as its starts have no schedule`,
      { hint: `use 'service ${expression.replace(/^(?:response |latencyMs\.response\.)/u, "")}'` },
    );
  }
  return objective;
}

function levelOf(flag: string, text: string | undefined, load: "open" | "closed"): number | undefined {
  if (text === undefined) return undefined;
  if (load === "closed") return readFlags(count(flag, 1, MOST_IN_FLIGHT, "a number in flight such as 10"), text);
  const rate = parseRate(text);
  if (rate !== undefined) return rate;
  throw new UsageError("invalid-value", `${flag}: expected ${RATE_EXPECTED}, found "${text}"`);
}
