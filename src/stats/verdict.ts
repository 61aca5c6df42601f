import { formatCount, formatNumber } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatShare } from "../format/share.js";
import { backlogOf } from "./backlog.js";
import type { LatencySummary, RunResult, Verdict, VerdictReason } from "../result/run-result.js";
import { lengthOf } from "../result/load-shape.js";
import { LEAST_DIFFERENCE, serviceTrendOf } from "./service-trend.js";

/**
 * Shares of a figure that the generator itself may cause. Above the first one the figure is in doubt, above the second
 * it is wrong.
 */
const DOUBTED_SHARE = 0.05;
const WRONG_SHARE = 0.1;
/** Timers are not more precise, so less is no delay. */
const LEAST_SLIP_MS = 1;
const MOST_RATE_LOST = 0.01;
const MOST_HELD_BACK = 0.01;
const MOST_EVENT_LOOP_DELAY_MS = 50;
const MOST_CLOCK_JUMP_MS = 100;
const MOST_CPU = 0.9;
/** In a shorter run, most of the CPU time is start-up. */
const CPU_RUN_MS = 5_000;
const MOST_LAG_SHARE = 0.05;

/** Everything but the verdict itself. */
type Measured = Omit<RunResult, "verdict">;
/** Undefined if there is no objection, or too little data. */
type Rule = (result: Measured) => VerdictReason | undefined;

const SLIP_FIGURES = ["mean", "p50", "p90", "p95", "p99", "p999"] as const;

/** The most serious one first. */
const RULES: readonly Rule[] = [
  slip,
  offeredRate,
  heldBack,
  eventLoop,
  clockJump,
  cpu,
  sharedWorkers,
  workerVersions,
  detectionLag,
  backlog,
  trending,
];

/**
 * Whether the figures can be believed, given the generator and the load that it made. It judges the measurement, never
 * the backend. `invalid` if one reason is, else `suspect` if there is a reason. A sample that is too small for a figure
 * is no reason.
 */
export function verdictOf(result: Omit<RunResult, "verdict">): Verdict {
  const reasons = RULES.flatMap((rule) => rule(result) ?? []);
  const isInvalid = reasons.some(({ severity }) => severity === "invalid");
  return { status: isInvalid ? "invalid" : reasons.length > 0 ? "suspect" : "valid", reasons };
}

/**
 * Starts that were sent late. Response time includes that wait, so each of its figures is too high by the share of the
 * slip. Starts that are all due at once are always late.
 */
function slip({ plan, generator, latencyMs: { response } }: Measured): VerdictReason | undefined {
  if (plan.load?.kind !== "open") return undefined;
  const shares = SLIP_FIGURES.flatMap((name) => {
    const share = generator?.slipShare?.[name] ?? 0;
    return share * (response?.[name] ?? 0) > LEAST_SLIP_MS ? [{ name, share }] : [];
  });
  const worst = shares.reduce((most, each) => (each.share > most.share ? each : most), { name: "mean", share: 0 });
  if (worst.share <= DOUBTED_SHARE) return undefined;
  const isWrong = worst.share > WRONG_SHARE;
  return {
    severity: isWrong ? "invalid" : "suspect",
    name: "slip",
    text: `late starts of this process are ${formatShare(worst.share)} of the response time at ${worst.name} (limit ${formatShare(isWrong ? WRONG_SHARE : DOUBTED_SHARE)})`,
    advice:
      "lower the rate, use more generators (--generators), or run fanout on a machine that has a core to spare for it; " +
      "service time has no such wait in it",
  };
}

/** Starts that were sent later and later, so that less load was offered than planned. */
function offeredRate({ plan, generator }: Measured): VerdictReason | undefined {
  const { slipGrowthMs = 0 } = generator ?? {};
  const lengthMs = (lengthOf(plan) ?? 0) - (plan.warmupMs ?? 0);
  const lost = slipGrowthMs / (lengthMs + slipGrowthMs);
  if (plan.load?.kind !== "open" || !(lost > MOST_RATE_LOST)) return undefined;
  return {
    severity: "invalid",
    name: "offered-rate",
    text: `this process fell behind its schedule by ${formatDuration(slipGrowthMs)}, so it offered ${formatShare(lost)} less than the plan (limit ${formatShare(MOST_RATE_LOST)})`,
    advice:
      "lower the rate, use more generators (--generators), or run fanout on a machine that has a core to spare for it",
  };
}

function heldBack({ generator, counts }: Measured): VerdictReason | undefined {
  const { unsent = 0, orchestrations } = counts;
  const due = orchestrations.started + unsent;
  const share = ((generator?.heldBack ?? 0) + unsent) / Math.max(1, due);
  if (share <= MOST_HELD_BACK) return undefined;
  return {
    severity: "invalid",
    name: "held-back",
    text:
      `--max-in-flight held back ${formatShare(share)} of starts (limit ${formatShare(MOST_HELD_BACK)})` +
      (unsent > 0 ? `: ${formatCount(unsent)} of ${formatCount(due)} were due and never sent` : ""),
    advice: "raise --max-in-flight, or lower the rate to what the backend carries",
  };
}

/** A late event loop delays the timestamps of this process: answers, and noticed ends. */
function eventLoop({ generator, latencyMs: { service } }: Measured): VerdictReason | undefined {
  const tail = tailOf(generator?.eventLoopDelayMs);
  if (!tail || tail.ms <= MOST_EVENT_LOOP_DELAY_MS) return undefined;
  const longest = service?.p99 ?? service?.p90 ?? service?.mean ?? 0;
  return {
    severity: tail.ms > WRONG_SHARE * longest ? "invalid" : "suspect",
    name: "event-loop",
    text: `this process was up to ${formatDuration(tail.ms)} late for its own timers at ${tail.name} (limit ${formatDuration(MOST_EVENT_LOOP_DELAY_MS)})`,
    advice: "lower the load, or run fanout on a machine that has a core to spare for it",
  };
}

function clockJump({ generator }: Measured): VerdictReason | undefined {
  const jumpMs = generator?.clockJumpMs;
  if (jumpMs === undefined || jumpMs <= MOST_CLOCK_JUMP_MS) return undefined;
  return {
    severity: "invalid",
    name: "clock-jump",
    text: `this machine's clock jumped by ${formatDuration(jumpMs)} (limit ${formatDuration(MOST_CLOCK_JUMP_MS)})`,
    advice: "keep the machine from sleeping, wait until its clock is synchronised, and run again",
  };
}

function cpu({ generator, environment, durationMs }: Measured): VerdictReason | undefined {
  const { machine = 0, generator: own = 0 } = generator?.cpu ?? {};
  const isShared = environment.backend.kind === "emulator" || environment.ownWorkers > 0;
  if (!isShared || durationMs < CPU_RUN_MS || machine <= MOST_CPU) return undefined;
  return {
    severity: "suspect",
    name: "cpu",
    text: `the machine was ${formatShare(machine)} busy (limit ${formatShare(MOST_CPU)}), ${formatShare(own)} with this process`,
    advice: "run the workers or the backend on another machine, or lower the load",
  };
}

/**
 * Earlier work on the hub that shares the workers. Work of other load tests always does, because every worker that
 * hosts the workload executes it. Work of other applications does unless the workers are the run's own, which host the
 * workload alone.
 */
function sharedWorkers({ environment: { hub, ownWorkers } }: Measured): VerdictReason | undefined {
  if ("unknown" in hub) return undefined;
  const foreign = hub.foreign?.unfinished ?? 0;
  const shared = ownWorkers > 0 ? hub.unfinished - foreign : hub.unfinished;
  if (shared === 0) return undefined;
  const isForeign = ownWorkers === 0 && foreign > 0;
  const count = `${formatCount(shared)}${hub.more ? " or more" : ""}`;
  const noun = shared === 1 && !hub.more ? "unfinished instance" : "unfinished instances";
  return {
    severity: "suspect",
    name: "shared-workers",
    text:
      `other work shared the workers: ${count} ${noun} on the task hub when the run began` +
      (isForeign ? `, ${formatCount(foreign)} of them not of a load test` : ""),
    advice: isForeign
      ? "give the load test a task hub of its own"
      : "wait until other runs have ended, or end what they left with fanout terminate",
  };
}

/** Workers that do not say their version are no reason. */
function workerVersions({ workers = [] }: Measured): VerdictReason | undefined {
  const known = workers.flatMap(({ version }) => version ?? []);
  const counts = [...Map.groupBy(known, (version) => version)].map(([version, all]) => `${version} (${all.length})`);
  if (counts.length < 2) return undefined;
  return {
    severity: "suspect",
    name: "worker-versions",
    text: `workers of different versions of fanout took part: ${counts.toSorted().join(", ")}`,
    advice: "stop the workers of the other version, or give them the same one",
  };
}

/** In closed load it is think time. Only its certain part counts, because it begins and ends on different clocks. */
function detectionLag({ plan, latencyMs }: Measured): VerdictReason | undefined {
  const lag = latencyMs.detectionLag;
  const serviceMs = latencyMs.service?.p50;
  if (plan.load?.kind !== "closed" || lag?.p50 === undefined || serviceMs === undefined) return undefined;
  if (lag.p50 - (lag.boundMs ?? 0) <= MOST_LAG_SHARE * serviceMs) return undefined;
  return {
    severity: "suspect",
    name: "detection-lag",
    text: `completions were noticed ${formatDuration(lag.p50)} late at the median (limit ${formatDuration(MOST_LAG_SHARE * serviceMs)}), so less was in flight than asked for`,
    advice: "give orchestrations more to do, or use --rate, which waits for no completion",
  };
}

function backlog(result: Measured): VerdictReason | undefined {
  const found = backlogOf(result);
  if (!found) return undefined;
  return {
    severity: "suspect",
    name: "backlog",
    text: `what was in flight grew from ${formatNumber(found.first)} to ${formatNumber(found.last)} and went on growing, so latency depends on how long the run was`,
    advice: "lower the rate to what the backend carries, or add workers",
  };
}

function trending(result: Measured): VerdictReason | undefined {
  const trend = serviceTrendOf(result);
  if (!trend) return undefined;
  const { firstMs, lastMs } = trend;
  const [way, advice] =
    lastMs < firstMs
      ? ["falling", "warm up for longer (--warmup)"]
      : ["rising", "look for what grows with time on the backend or its workers, and run for longer"];
  return {
    severity: "suspect",
    name: "trending",
    text: `service time was still ${way}: the median of the first third was ${formatDuration(firstMs)}, that of the last ${formatDuration(lastMs)} (limit ${formatShare(LEAST_DIFFERENCE)} apart)`,
    advice,
  };
}

/** The p99, which the limits are for. In a smaller sample the p90: if it exceeds a limit, so does the p99. */
function tailOf({ p99, p90 }: Partial<LatencySummary> = {}):
  { readonly name: string; readonly ms: number } | undefined {
  if (p99 !== undefined) return { name: "p99", ms: p99 };
  return p90 === undefined ? undefined : { name: "p90", ms: p90 };
}
