import { counts } from "./counts-schema.js";
import { byName, count, number, object, string } from "./json-field.js";
import { histogram, latencies } from "./latency-schema.js";
import { latenciesTally, windowTally } from "./tally-schema.js";

/** The figures of one orchestration of a mix. */
export const orchestrationResult = object({
  orchestrator: string,
  counts: object({
    warmup: count.exactOptional().describe("Of the started, those that belong to the warm-up."),
    unsent: count.exactOptional().describe("As counts.unsent of the run."),
    orchestrations: counts.shape.orchestrations,
    measured: counts.shape.measured,
  }),
  throughput: object({ orchestrationsPerSecond: number })
    .exactOptional()
    .describe("Its part of the throughput of the run, over the same time."),
  latencyMs: latencies.describe("Each is absent when it has no sample."),
  histograms: byName(histogram, "an object of histograms").exactOptional(),
  tally: object({ latencies: latenciesTally, window: windowTally })
    .exactOptional()
    .describe("Of one shard of a run: what `fanout merge` needs."),
});
