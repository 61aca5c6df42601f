import { formatNumber, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { formatShare } from "../format/share.js";
import { hanging, wrapped } from "../format/wrap.js";
import { levelText } from "../result/capacity-level.js";
import type { CapacityLatency, CapacityResult, Scalability } from "../result/capacity-schema.js";
import type { TextStyle } from "./text-style.js";

const NAME_WIDTH = 13;
const PERCENTILES = ["p50", "p90", "p99", "p999"] as const;

/** The answer of a search for a person, without a final newline. */
export function capacityText(result: CapacityResult, { colours, columns }: TextStyle): string {
  const colour = result.ended === "found" ? colours.green : colours.yellow;
  const [word, rest] = headlineOf(result);
  return [
    ...wrapped(colour(word) + rest, columns),
    ...factsOf(result).flatMap(([name, text]) => hanging(`  ${name.padEnd(NAME_WIDTH)} `, text, columns)),
  ].join("\n");
}

/** The answer in a sentence, its first word apart. */
export function headlineOf(result: CapacityResult): readonly [word: string, rest: string] {
  const { load, held, missed, generatorLimit, objectives, ended } = result;
  const level = (value: number): string => levelText(value, load);
  const within = ` (${objectives.join(", ")})`;
  if (held === undefined) {
    const found = missed === undefined ? "no probe held" : `${level(missed)} does not hold`;
    return ["Capacity", `: unknown, ${found}${within}`];
  }
  if (missed === undefined || generatorLimit !== undefined) return ["Capacity", `: at least ${level(held)}${within}`];
  const confirmed = ended === "found" ? "" : ", not confirmed";
  return ["Capacity", `: ${level(held)} holds, ${level(missed)} does not${confirmed}${within}`];
}

type Fact = readonly [name: string, text: string];

export function factsOf(result: CapacityResult): readonly Fact[] {
  const { load, held, atHeld, latencyAtHeldMs, latencyAtHalfMs, knee, atLeast, probes, left, disagreements } = result;
  const level = (value: number): string => levelText(value, load);
  const facts: readonly (Fact | false | undefined)[] = [
    ["why it ended", result.why],
    atHeld && ["throughput", ratesText(atHeld)],
    atHeld?.capacityUnits !== undefined && ["capacity", unitsText(atHeld.capacityUnits, atHeld.shareOfCapacity)],
    latencyAtHeldMs && ["latency", `at ${level(held!)}: ${latencyText(latencyAtHeldMs)}`],
    latencyAtHalfMs && ["", `at half of it: ${latencyText(latencyAtHalfMs)}`],
    knee !== undefined && ["knee", `${level(knee)}, where throughput over mean latency is highest`],
    result.scalability && ["scalability", scalabilityText(result.scalability)],
    atLeast && ["at least", `${level(atLeast.level)}: ${atLeast.passed ? "reached" : "not reached"}`],
    ...disagreements.map(({ level: at, outcomes }): Fact => {
      return ["disagreement", `at ${level(at)}: ${outcomes.join(", ")}; the capacity drifts, or lies there`];
    }),
    left.length > 0 && [
      "left",
      `instances of ${left.join(", ")} had not ended; to end them: fanout terminate --run ${left[0]}`,
    ],
    ["search", `${plural(probes.length, "probe")} in ${formatDuration(result.durationMs)}, ${result.searchId}`],
  ];
  return facts.filter((fact) => fact !== false && fact !== undefined);
}

function ratesText({
  orchestrationsPerSecond,
  activitiesPerSecond,
  actionsPerSecond,
}: NonNullable<CapacityResult["atHeld"]>): string {
  const rates = { orchestrations: orchestrationsPerSecond, activities: activitiesPerSecond, actions: actionsPerSecond };
  return Object.entries(rates)
    .flatMap(([name, perSecond]) => (perSecond === undefined ? [] : [`${name} ${formatRate(perSecond)}`]))
    .join(", ");
}

function unitsText(units: number, share: number | undefined): string {
  const count = `${formatNumber(units)} capacity units of a Dedicated scheduler`;
  return share === undefined ? count : `${count}, ${formatShare(share)} of --capacity-units`;
}

function latencyText(latency: CapacityLatency): string {
  const percentiles = PERCENTILES.flatMap((name) => {
    const ms = latency[name];
    return ms === undefined ? [] : [`${name} ${formatDuration(ms)}`];
  });
  return [`mean ${formatDuration(latency.mean)}`, ...percentiles, `max ${formatDuration(latency.max)}`].join(", ");
}

function scalabilityText({ contention, coherency, peak }: Scalability): string {
  const peakText =
    peak && `; throughput is highest at ${formatNumber(peak.level)} in flight, ${formatRate(peak.perSecond)}`;
  return `contention ${estimateText(contention)}, coherency ${estimateText(coherency)}${peakText ?? ""}`;
}

function digits(value: number): string {
  return value === 0 ? "0" : value.toPrecision(3);
}

function estimateText({ value, low, high }: Scalability["contention"]): string {
  return `${digits(value)} (${digits(low)} to ${digits(high)})`;
}
