import type { Load, LoadShape, Stage } from "../result/load-shape.js";
import { costOf, type PlanShape } from "../result/plan-cost.js";
import { partOf } from "../result/shard.js";
import { sharesOf, type Mix } from "../result/mix.js";
import { mayFail } from "../result/run-size.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { formatShare } from "../format/share.js";

const LISTED_STAGES = 4;

/**
 * `1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions`. For load over time, it describes the
 * load and the work of all orchestrations, or of each one if their number is unknown. Of random arrivals it has the mean. For somebody's own orchestration
 * it gives the name, because its work is unknown.
 */
export function planLine(plan: PlanShape): string {
  const { iterations, parallelActivities, orchestrator = "another kind", orchestrations: mix } = plan;
  const { load = { kind: "once" } } = plan;
  const { starts, each } = costOf(plan);
  const shardText = plan.shard === undefined ? "" : `shard ${plan.shard.number} of ${plan.shard.of}: `;
  const loadText = shardText + (load.kind === "once" ? "" : `${shapeText(load, plan)}: `);
  const about = load.kind === "open" && load.arrival === "poisson" ? "about " : "";
  const orchestrations = starts === undefined ? "each orchestration" : about + plural(starts, "orchestration");
  if (mix !== undefined)
    return `${loadText}${orchestrations}: ${mixText(mix)}, whose activities and actions are unknown`;
  if (iterations === undefined || parallelActivities === undefined || !each)
    return `${loadText}${orchestrations} of ${orchestrator}, whose activities and actions are unknown`;

  const { subOrchestrations } = plan;
  const divided = subOrchestrations === undefined ? "" : ` in ${plural(subOrchestrations, "sub-orchestration")}`;
  const factors = [orchestrations, plural(iterations, "iteration"), plural(parallelActivities, "activity") + divided];
  const times = starts ?? 1;
  const condition = mayFail(plan) ? " if none fails" : "";
  return (
    `${loadText}${factors.join(" x ")} = ${about}${plural(times * each.activities, "activity")}, ` +
    `${formatCount(times * each.actions)} actions${condition}`
  );
}

/** `70 % Order and 30 % Refund` */
function mixText(mix: Mix): string {
  const parts = sharesOf(mix).map((share, place) => `${formatShare(share)} ${mix[place]!.orchestrator}`);
  return new Intl.ListFormat("en").format(parts);
}

function shapeText(
  load: Exclude<LoadShape, { kind: "once" }>,
  { parallelOrchestrations = 0, warmupMs, shard }: Load,
): string {
  const warmup = warmupMs === undefined ? "" : `, after ${formatDuration(warmupMs)} of warm-up`;
  if (load.kind === "open") {
    const shown = load.stages.slice(0, LISTED_STAGES).map(stageText);
    const more = load.stages.length > shown.length ? ", ..." : "";
    const arrival = load.arrival === "poisson" ? ", random arrivals" : "";
    return `open load, ${shown.join(", ")}${more}${arrival}${warmup}`;
  }
  const length = load.durationMs === undefined ? "" : ` for ${formatDuration(load.durationMs)}`;
  return `closed load, ${formatCount(partOf(parallelOrchestrations, shard))} in flight${length}${warmup}`;
}

function stageText({ fromPerSecond, toPerSecond, lengthMs }: Stage): string {
  const rate = formatRate(fromPerSecond);
  const change = toPerSecond === fromPerSecond ? rate : `${rate} to ${formatRate(toPerSecond)}`;
  return `${change} for ${formatDuration(lengthMs)}`;
}
