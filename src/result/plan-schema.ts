import { z } from "zod";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { byName, count, list, number, object, oneOf, signed, string, type ValueOf } from "./json-field.js";

export const stage = object({ fromPerSecond: number, toPerSecond: number, lengthMs: number });

/** When orchestrations start. */
export const loadShape = z.discriminatedUnion(
  "kind",
  [
    object({ kind: z.literal("once") }).describe("parallelOrchestrations of them, all at once."),
    object({
      kind: z.literal("closed"),
      durationMs: number.exactOptional(),
      total: count.exactOptional(),
    }).describe(
      "The next when one has ended, so that parallelOrchestrations are in flight, until the duration is over or the total was started.",
    ),
    object({
      kind: z.literal("open"),
      arrival: oneOf("constant", "poisson"),
      stages: list(stage).describe("Times in which the rate goes evenly from one value to another, or stays."),
      maxInFlight: count.describe("The limit of starts that are sent and not ended."),
    }).describe("By a schedule, whatever becomes of them."),
  ],
  { error: ({ code }) => (code === "invalid_union" ? '"once", "closed" or "open"' : "an object") },
);

const inputs = object({
  file: string.describe("The name of the file, without its folder."),
  lines: count.describe("The inputs in it."),
  order: oneOf("cycle", "random", "once").describe(
    "cycle: start k has input k modulo lines. random: one drawn from the seed and k. once: input k, and no more starts.",
  ),
  sha256: string.describe("The digest of the file, in hexadecimal."),
});

/** What a result tells of the plan. */
export const resultPlan = object({
  iterations: count
    .exactOptional()
    .describe("Absent, with parallelActivities and all that is counted in activities, where orchestrator is there."),
  parallelActivities: count.exactOptional(),
  parallelOrchestrations: count
    .exactOptional()
    .describe("Started at once, or kept in flight by closed load; absent in open load."),
  load: loadShape
    .exactOptional()
    .describe("When orchestrations are started; absent in old results, which started all at once."),
  warmupMs: number.exactOptional().describe("Run before what is measured, and left out of latency and throughput."),
  graceMs: number.exactOptional().describe("How long what is in flight may go on after the last start was due."),
  seed: signed.exactOptional().describe("What arrivals and activity durations are drawn from."),
  labels: byName(string, "an object of strings").exactOptional().describe("What --label gave it, to find it by."),
  orchestrator: string.exactOptional().describe("Somebody's own orchestration. Its input is theirs, and not in here."),
  inputs: inputs
    .exactOptional()
    .describe("The file that had an input for each start of orchestrator; absent where all had the same."),
  instanceVersion: string.exactOptional().describe("The version of each instance; absent: none."),
  tags: byName(string, "an object of strings").exactOptional().describe("The tags of each instance; absent: none."),
  shard: object({ number: count.describe("From 1 on."), of: count })
    .exactOptional()
    .describe(
      "The generator's part of a run that several make together: of the starts, counted from 0, every one whose number modulo " +
        "of is number - 1. The rest of the plan describes the whole run. Absent in the result of a whole run.",
    ),
  planFile: string.exactOptional().describe("The name of the plan file, without its folder; absent: flags alone."),
  workers: z.union([z.literal("auto"), count], '"auto" or a whole number'),
  timeoutMs: number.describe("Counted from the last start."),
  activity: (object({}) as z.ZodType<object>)
    .exactOptional()
    .describe("What activities cost, as it was asked for; absent: as little as they can."),
  continueAsNewEvery: count.exactOptional().describe("Iterations in each execution of an orchestration."),
  subOrchestrations: count
    .exactOptional()
    .describe("Sub-orchestrations of each fan-out, which share its activities; absent: it starts them itself."),
  timer: (object({}) as z.ZodType<object>)
    .exactOptional()
    .describe("The wait between two iterations, as it was asked for; absent: none."),
  orchestrations: list(
    object({
      orchestrator: string,
      weight: number.describe("Its share of the starts is its weight divided by the sum of all."),
      inputs: inputs.exactOptional(),
      instanceVersion: string.exactOptional(),
    }),
  )
    .exactOptional()
    .describe(
      "In place of orchestrator, somebody's own orchestrations that the run mixed. Which one start k has follows from k and the seed.",
    ),
});

type Plan = ValueOf<typeof resultPlan>;

/** How a report tells what the line of the plan does not: the name of each field, and its value as text. */
export const PLAN_TEXTS: {
  readonly [K in keyof Plan]: readonly [name: string, text: (value: NonNullable<Plan[K]>) => string];
} = {
  planFile: ["plan file", String],
  graceMs: ["grace for what is in flight", formatDuration],
  timeoutMs: ["timeout", formatDuration],
  activity: ["activities", JSON.stringify],
  continueAsNewEvery: ["continue-as-new every", (count) => plural(count, "iteration")],
  subOrchestrations: ["sub-orchestrations in each fan-out", formatCount],
  timer: ["timer between iterations", JSON.stringify],
  workers: ["workers", (workers) => (workers === "auto" ? "as many as it takes" : formatCount(workers))],
  seed: ["seed", String],
  inputs: ["inputs", inputsText],
  orchestrations: ["orchestrations", (mix) => mix.map(mixedText).join("; ")],
  instanceVersion: ["version of instances", String],
  tags: [
    "tags of instances",
    (tags) =>
      Object.entries(tags)
        .map(([key, value]) => `${key}=${value}`)
        .join(", "),
  ],
  shard: ["shard", ({ number, of }) => `${number} of ${of}`],
};

function inputsText({ file, lines, order, sha256 }: NonNullable<Plan["inputs"]>): string {
  return `${plural(lines, "line")} of ${file} (${order}), SHA-256 ${sha256}`;
}

function mixedText({
  orchestrator,
  weight,
  inputs,
  instanceVersion,
}: NonNullable<Plan["orchestrations"]>[number]): string {
  const parts = [
    `${orchestrator}, weight ${weight}`,
    instanceVersion === undefined ? [] : `version ${instanceVersion}`,
    inputs === undefined ? [] : `inputs: ${inputsText(inputs)}`,
  ];
  return parts.flat().join(", ");
}
