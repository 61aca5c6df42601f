import { z } from "zod";
import { breakdown, fanIn, tracedWorker } from "./breakdown-schema.js";
import { comparisonSchema } from "./comparison-schema.js";
import { counts, failedInstance, recount, stuckInstance } from "./counts-schema.js";
import { interval, phase, outage, stall, throughput } from "./course-schema.js";
import { environment } from "./environment-schema.js";
import { clock, concurrency, generator, verdict } from "./generator-schema.js";
import { boolean, byName, count, list, object, signed, string } from "./json-field.js";
import { histogram, latencies } from "./latency-schema.js";
import { listed, measured } from "./measured-field.js";
import { orchestrationResult } from "./orchestration-schema.js";
import { resultPlan } from "./plan-schema.js";
import { runTally } from "./tally-schema.js";

export const SCHEMA_VERSION = 1;

/** What a run had to reach, and whether it did. */
export const judgedThreshold = object({
  expression: string.describe("Such as p99<500ms."),
  value: signed
    .exactOptional()
    .describe(
      "Milliseconds, a share of 1, per second or a number, as the figure has it; absent where it was not measured.",
    ),
  passed: boolean,
  reason: string.exactOptional().describe("Why it could not be judged, which counts as missed."),
});

/** One generator's part of a merged result. */
const mergedShard = object({
  number: count.describe("From 1 on."),
  startedAt: z.iso.datetime("a time such as 2030-01-02T03:04:05.678Z"),
  started: count,
  completed: count,
  verdict: verdict.exactOptional(),
  generator: generator.exactOptional().describe("How its process was doing."),
  cpu: object({ model: string, cores: count }).describe("Of its machine."),
  died: string
    .exactOptional()
    .describe("How its process ended without a result: its counts are the backend's, and it has no latencies."),
});

/**
 * What a run measured: a plain JSON value, and all that a report can show. A field whose measurement does not exist is
 * absent, never filled with a constant. Names are a published contract: fields may be added, none renamed.
 *
 * The types of `run-result.ts`, the published JSON Schema and the figures that a threshold may name are made from this
 * schema. What a file holds is checked against it; the message of each field is what was expected.
 */
export const resultSchema = object({
  schemaVersion: z.literal(SCHEMA_VERSION, String(SCHEMA_VERSION)),
  runId: string,
  startedAt: z.iso
    .datetime("a time such as 2030-01-02T03:04:05.678Z")
    .describe("When the first start was due, in UTC."),
  durationMs: measured.duration.describe("From startedAt until the run ended."),
  interrupted: boolean.describe("A signal ended it."),
  plan: resultPlan,
  environment,
  verdict: verdict
    .exactOptional()
    .describe("Whether the generator itself was healthy enough for the figures to be believed."),
  counts,
  throughput: throughput.exactOptional().describe("Absent while nothing has completed."),
  latencyMs: latencies.describe("Each is absent when it has no sample."),
  byOrchestration: list(orchestrationResult)
    .exactOptional()
    .describe(
      "The same figures of each orchestration, in the order of the plan; absent where the plan mixes none, or where a generator " +
        "died and the backend cannot list its instances.",
    ),
  breakdown: breakdown
    .exactOptional()
    .describe("Where the time of a sample of orchestrations went; absent where none was traced."),
  fanIn: fanIn.exactOptional().describe("What the fan-outs of the traced orchestrations waited for."),
  workers: list(tracedWorker)
    .exactOptional()
    .describe("The workers of the traced orchestrations, as the stamps of their activities say, and the run's own."),
  phases: list(phase)
    .exactOptional()
    .describe("The warm-up and the stages, in order; absent where there is only one part."),
  series: list(interval).exactOptional().describe("The run over time: consecutive, equally long, at most 3,600."),
  outages: list(outage)
    .exactOptional()
    .describe("Times of 2 s or more in which the backend answered no call of the generator: the first 100."),
  stalls: list(stall)
    .exactOptional()
    .describe(
      "Times in which work was in flight and nothing completed for longer than the run's own rhythm explains: the longest 100.",
    ),
  generator: generator.exactOptional().describe("How the process that made the load was doing while it measured."),
  clock: clock
    .exactOptional()
    .describe("The backend's clock minus the client's; absent where no completion told the backend's times."),
  concurrency: concurrency.exactOptional().describe("How many were in flight; of closed load only."),
  noticing: byName(count, "an object of counts by call")
    .exactOptional()
    .describe("Calls made to notice completions, by the name of the call."),
  recount: recount
    .exactOptional()
    .describe("The run's instances counted by asking the backend at its end, or why that was not possible."),
  histograms: byName(histogram, "an object of histograms")
    .exactOptional()
    .describe("Of the latencies by their name, to be merged with those of other runs."),
  tally: runTally
    .exactOptional()
    .describe("Of one shard of a run: what `fanout merge` needs, and the other fields do not tell."),
  shards: list(mergedShard)
    .exactOptional()
    .describe("Of a run that several generators made: what became of each part. Absent in any other result."),
  failures: listed(failedInstance).exactOptional(),
  stuck: listed(stuckInstance)
    .exactOptional()
    .describe("Instances that were started and had not ended when the run did."),
  unanswered: listed(string)
    .exactOptional()
    .describe("Of them, those whose start was never answered: whether the backend has taken it is not known."),
  thresholds: list(judgedThreshold).exactOptional().describe("Absent where none was given."),
  comparison: comparisonSchema
    .exactOptional()
    .describe("With --baseline: of all repeats with it, and so in the result of the last one."),
});
