import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";

/** `1,234/s now, 1,100/s on average`; undefined while there is nothing to divide by, or to count. */
export function ratesText(snapshot: LiveSnapshot, nowPerSecond: number | undefined): string | undefined {
  if (nowPerSecond === undefined || snapshot.elapsedMs <= 0 || snapshot.activities.total === 0) return undefined;
  const average = (snapshot.activities.completed * 1_000) / snapshot.elapsedMs;
  return `${formatRate(nowPerSecond)} now, ${formatRate(average)} on average`;
}

/** `response p50 12.3 ms, p99 41.2 ms`; without percentiles the mean and maximum, and nothing for a run of one. */
export function responseText({ responseMs, orchestrations }: LiveSnapshot): string | undefined {
  if (!responseMs || orchestrations.total === 1) return undefined;
  const percentiles = (["p50", "p90", "p99"] as const).flatMap((name) => {
    const ms = responseMs[name];
    return ms === undefined ? [] : [`${name} ${formatDuration(ms)}`];
  });
  const parts = percentiles.length > 0 ? percentiles : [`mean ${formatDuration(responseMs.mean)}`];
  return `response ${[...parts, `max ${formatDuration(responseMs.max)}`].join(", ")}`;
}

/** Whole seconds: digits that change with every update distract. */
export function elapsedText(elapsedMs: number): string {
  return formatDuration(Math.round(elapsedMs / 1_000) * 1_000).replace(/^0 ms$/u, "0 s");
}

/** `12 of 200` */
export function ofTotal(count: number, total: number): string {
  return `${formatCount(count)} of ${formatCount(total)}`;
}
