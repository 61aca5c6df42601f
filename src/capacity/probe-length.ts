import type { Threshold } from "../stats/threshold.js";

/** The number of samples that must lie beyond a percentile: see `stats/latency-histogram.ts`. */
const BEYOND = 10;
/** 1 - 0.9 is a little less than 0.1 in binary. */
const ROUNDING = 1e-6;
/** The trend of the backlog is judged by nine parts of at least a second, after the first starts have ended. */
const LEAST_MS = 10_000;
const BACKLOG_PATIENCE_MS = 60_000;
const FINE_PATIENCE_MS = 30_000;
/** The levels that ten samples behind a percentile tell apart; closer ones take more. */
const RULE_OF_TEN_RESOLUTION = 0.5;
/** A queue with random arrivals fluctuates meanwhile. */
const MARGIN = 3;
/** Three sigmas times 2 / sqrt(3) times 3/2: see `startsToTellApart`. */
const SIGMAS = 3 * Math.sqrt(3);

/** As the name of a figure has it: `p99`, `service p97.5`, `latencyMs.response.p999`. */
const PERCENTILE = /(?:^|[ .])p(?<digits>\d+(?:\.\d+)?)$/u;

/** The quantile of a percentile; undefined for any other figure. */
export function quantileOf({ expression, figure }: Threshold): number | undefined {
  const { digits } = PERCENTILE.exec(figure.path ?? expression)?.groups ?? {};
  if (digits === undefined) return undefined;
  return digits.length > 2 && !digits.includes(".") ? Number(`0.${digits}`) : Number(digits) / 100;
}

/** The number of samples without which the objectives cannot be judged. */
export function startsToJudge(objectives: readonly Threshold[]): number {
  const needed = objectives.map((objective) => {
    const quantile = quantileOf(objective);
    if (quantile !== undefined) return BEYOND / (1 - quantile);
    // The rule of three: see `stats/threshold.ts`.
    if (isShareOfErrors(objective)) return 3 / objective.bound;
    return BEYOND;
  });
  return Math.ceil(Math.max(...needed) - ROUNDING);
}

/** The starts to plan for them: three standard deviations more, as random arrivals may be fewer. */
export function startsToPlan(objectives: readonly Threshold[]): number {
  const needed = startsToJudge(objectives);
  return needed + 3 * Math.sqrt(needed);
}

/**
 * How long a probe at `perSecond` measures, in milliseconds: the starts that the objectives need, and the starts that
 * tell a rate that the backend carries from one that is `resolution` too high, by the backlog or by a latency that it
 * breaks, whichever is sooner, within a minute.
 */
export function probeLengthMs(objectives: readonly Threshold[], perSecond: number, resolution: number): number {
  const samplesMs = (startsToPlan(objectives) * 1_000) / perSecond;
  const fineMs = Math.min(FINE_PATIENCE_MS, samplesMs * Math.max(1, RULE_OF_TEN_RESOLUTION / resolution));
  const backlogMs = Math.min(
    BACKLOG_PATIENCE_MS,
    (startsToTellApart(resolution) * 1_000) / perSecond,
    ...objectives.map((objective) => MARGIN * msToBreak(objective, resolution)),
  );
  return Math.ceil(Math.max(LEAST_MS, samplesMs, fineMs, backlogMs) / 1_000) * 1_000;
}

/**
 * The starts of a probe at which a backlog shows. It grows by r n between the begin and the end of n starts that are a
 * share r too many, so by 2/3 r n between the middles of the first and the last third. `stats/backlog.ts` wants more than
 * 3 sqrt(2 x 2/3 n) of it: n = (3 sqrt(4/3) / (2/3 r))^2.
 */
function startsToTellApart(resolution: number): number {
  return Math.ceil((SIGMAS / resolution) ** 2);
}

/**
 * A rate that is a share r too high delays a start at time t by r t. So a bound B of quantile q is broken after B / (r q):
 * then a share 1 - q of the starts have waited longer. Infinite for other objectives.
 */
function msToBreak(objective: Threshold, resolution: number): number {
  const quantile = quantileOf(objective);
  return quantile === undefined ? Number.POSITIVE_INFINITY : objective.bound / (resolution * quantile);
}

function isShareOfErrors({ figure, operator }: Threshold): boolean {
  return figure.kind === "share" && figure.path === undefined && operator.startsWith("<");
}
