import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { LatencySummary } from "../result/run-result.js";

/** `activities 1,234/s now, 1,100/s on average`; undefined while there is no time to divide by, or nothing to count. */
export function ratesText(snapshot: LiveSnapshot, nowPerSecond: number | undefined): string | undefined {
  if (nowPerSecond === undefined || snapshot.elapsedMs <= 0 || snapshot.activities.total === 0) return undefined;
  const average = (snapshot.activities.completed * 1_000) / snapshot.elapsedMs;
  return `activities ${formatRate(nowPerSecond)} now, ${formatRate(average)} on average`;
}

/**
 * `response until noticed p50 12.3 ms, p99 41.2 ms, max 50.1 ms`; in closed load the service time; without percentiles
 * the mean and maximum. A run of one orchestration has no latency before its end, so the duration of its iterations is
 * shown. The final figures last until completed, which is known only later.
 */
export function latencyText(snapshot: LiveSnapshot): string | undefined {
  const { responseMs, serviceMs, orchestrations, own } = snapshot;
  if (responseMs) return `response until noticed ${summaryText(responseMs)}`;
  if (serviceMs) return `service until noticed ${summaryText(serviceMs)}`;
  if (!own || orchestrations.total !== 1 || orchestrations.ended > 0) return undefined;
  const parts = [iterationText(snapshot), "response time when the orchestration has ended"];
  return parts.filter((part) => part !== undefined).join("; ");
}

/** `iteration 12.3 ms on average`. The iterations of one orchestration run one after the other. */
function iterationText({ elapsedMs, activities }: LiveSnapshot): string | undefined {
  const { completed, perIteration } = activities;
  if (perIteration === undefined || completed < perIteration) return undefined;
  return `iteration ${formatDuration((elapsedMs * perIteration) / completed)} on average`;
}

/**
 * `1,234 orchestrations started, 1,178 completed, 56 in flight, 2 failed`; undefined if unknown, or not worth a line.
 */
export function loadText({ lengthMs, orchestrations, own }: LiveSnapshot): string | undefined {
  if (lengthMs === undefined || !own) return undefined;
  const { completed, inFlight, failed, terminated, heldBack } = own;
  const always = { "orchestrations started": orchestrations.started, completed, "in flight": inFlight };
  const rare = Object.entries({ failed, terminated, "held back": heldBack }).filter(([, count]) => count > 0);
  return [...Object.entries(always), ...rare].map(([word, count]) => `${formatCount(count)} ${word}`).join(", ");
}

/**
 * `the backend has been away for 12 s` or `stalled: nothing has completed for 2.1 s, 104 in flight, 12 UNAVAILABLE`; undefined
 * without either.
 */
export function troubleText({ own, outage }: LiveSnapshot): string | undefined {
  if (outage) return `the backend has been away for ${formatDuration(outage.lengthMs)}`;
  if (!own?.stall) return undefined;
  const { lengthMs, rpcErrors } = own.stall;
  const errors = Object.entries(rpcErrors).map(([status, count]) => `${formatCount(count)} ${status}`);
  const parts = [`nothing has completed for ${formatDuration(lengthMs)}`, `${formatCount(own.inFlight)} in flight`];
  return `stalled: ${[...parts, ...errors].join(", ")}`;
}

function summaryText(summary: LatencySummary): string {
  if (summary.count === 1) return formatDuration(summary.max);
  const percentiles = (["p50", "p90", "p99"] as const).flatMap((name) => {
    const ms = summary[name];
    return ms === undefined ? [] : [`${name} ${formatDuration(ms)}`];
  });
  const parts = percentiles.length > 0 ? percentiles : [`mean ${formatDuration(summary.mean)}`];
  return [...parts, `max ${formatDuration(summary.max)}`].join(", ");
}

/** Whole seconds, because digits that change with every update distract. */
export function elapsedText(elapsedMs: number): string {
  return formatDuration(Math.round(elapsedMs / 1_000) * 1_000).replace(/^0 ms$/u, "0 s");
}

/** `12 of 200` */
export function ofTotal(count: number, total: number): string {
  return `${formatCount(count)} of ${formatCount(total)}`;
}
