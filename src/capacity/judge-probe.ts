import { formatCount, formatNumber, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { figureOf } from "../result/figure.js";
import type { JudgedThreshold, RunResult, Verdict } from "../result/run-result.js";
import { backlogOf } from "../stats/backlog.js";
import { judge, type Threshold } from "../stats/threshold.js";
import { NOTICING_MS } from "./early-decision.js";
import type { ProbedLevel } from "./search.js";

/** What a finished probe says of its level, and why. */
export interface ProbeJudgement {
  readonly outcome: ProbedLevel["outcome"];
  /** Absent if it held. */
  readonly reason?: string;
  readonly objectives: readonly JudgedThreshold[];
}

/** Objections to a generator that was late: they make a response time longer, and never shorter. */
const LATENESS: readonly string[] = ["slip", "event-loop"];
const RESPONSE = /^latencyMs\.response\.(?<statistic>.+)$/u;
/** Starts that the cap on the number in flight held back: see `stats/verdict.ts`. */
const MOST_HELD_BACK = 0.01;

/**
 * Judges a probe by its counts first: a generator that was late offers less load and not more, so work that fails, piles
 * up or does not end is a miss whatever state the generator was in. Late starts come in bunches: in a queue that serves in
 * order, starts that are at most s late delay no end by more than s. So an objective is missed as well if the backend's
 * own time breaks it by more than the longest slip. And a response time includes the lateness of the generator, so what
 * holds in spite of that does hold. Anything else needs a valid generator.
 *
 * `decided` is why the probe was ended early, as missed.
 */
export function judgeProbe(
  result: RunResult,
  objectives: readonly Threshold[],
  decided: string | undefined,
): ProbeJudgement {
  const { verdict, ...measured } = result;
  const judged = objectives.map((objective) => judge(objective, measured));
  const missed = (reason: string): ProbeJudgement => ({ outcome: "missed", reason, objectives: judged });
  const latestMs = result.latencyMs.slip?.max ?? 0;
  const early = latestMs <= NOTICING_MS ? decided : undefined;
  const counted = early ?? pileUp(result) ?? failures(result, objectives) ?? slowBackend(result, objectives, latestMs);
  if (counted !== undefined) return missed(counted);

  const broken = judged.find(({ passed }) => !passed);
  if (verdict?.status === "invalid" && (broken || decided !== undefined || !isLateOnly(verdict, objectives))) {
    const texts = verdict.reasons.filter(({ severity }) => severity === "invalid").map(({ text }) => text);
    return { outcome: "invalid", reason: texts.join("; "), objectives: judged };
  }
  if (decided !== undefined) return missed(decided);
  const missedOne = judged.find(({ passed, reason }) => !passed && reason === undefined);
  if (missedOne) return missed(`${missedOne.expression} missed`);
  // What was not measured is no miss. The next probe of the level knows how many samples it gets.
  if (broken) return { outcome: "invalid", reason: `${broken.expression} ${broken.reason}`, objectives: judged };
  return { outcome: "held", objectives: judged };
}

function isLateOnly({ reasons }: Verdict, objectives: readonly Threshold[]): boolean {
  return (
    reasons.every(({ severity, name }) => severity !== "invalid" || LATENESS.includes(name)) &&
    objectives.every(({ figure }) => !figure.path?.startsWith("latencyMs.") || RESPONSE.test(figure.path))
  );
}

/** The response time that the backend alone accounts for, by its own clock. */
function slowBackend(result: RunResult, objectives: readonly Threshold[], latestMs: number): string | undefined {
  for (const { expression, figure, bound } of objectives) {
    const { statistic } = RESPONSE.exec(figure.path ?? "")?.groups ?? {};
    const ms = statistic === undefined ? undefined : figureOf(`latencyMs.server.${statistic}`)?.read(result);
    if (ms !== undefined && ms - latestMs > bound)
      return `${expression} missed: the backend itself took ${formatDuration(ms)}`;
  }
  return undefined;
}

function pileUp(result: RunResult): string | undefined {
  const { started, unfinished } = result.counts.orchestrations;
  if (unfinished > 0) return `${plural(unfinished, "orchestration")} did not end in time`;
  const backlog = backlogOf(result);
  if (backlog)
    return `the backlog grew from ${formatNumber(backlog.first)} to ${formatNumber(backlog.last)} and went on growing`;

  const { unsent = 0 } = result.counts;
  const heldBack = (result.generator?.heldBack ?? 0) + unsent;
  return heldBack > MOST_HELD_BACK * (started + unsent)
    ? `${formatCount(heldBack)} starts waited, because as many were in flight as --max-in-flight allows`
    : undefined;
}

/** An objective for the share of errors that this number of failures breaks. */
function failures(result: RunResult, objectives: readonly Threshold[]): string | undefined {
  const broken = objectives.find(({ figure, operator, bound }) => {
    if (figure.kind !== "share" || figure.path !== undefined || !operator.startsWith("<")) return false;
    return (figure.read(result) ?? 0) > bound;
  });
  const { failed, terminated } = result.counts.orchestrations;
  return broken && `${broken.expression} missed: ${plural(failed + terminated, "orchestration")} failed`;
}
