import { z } from "zod";
import type { LoadShape } from "./load-shape.js";
import type { ResultEnvironment, ResultPlan, RunResult, Verdict } from "./run-result.js";
import { comparisonSchema } from "./comparison-schema.js";
import {
  boolean,
  byGrpcStatus,
  byName,
  count,
  list,
  listed,
  number,
  object,
  oneOf,
  signed,
  string,
} from "./json-field.js";
import {
  clock,
  concurrency,
  generator,
  histogram,
  interval,
  latencies,
  phase,
  recount,
  stall,
  throughput,
} from "./measured-schema.js";

export const SCHEMA_VERSION = 1;

const stage = object({ fromPerSecond: number, toPerSecond: number, lengthMs: number });
const loadShape: z.ZodType<LoadShape> = z.discriminatedUnion(
  "kind",
  [
    object({ kind: z.literal("once") }).describe("parallelOrchestrations of them, all at once."),
    object({
      kind: z.literal("closed"),
      durationMs: number.exactOptional(),
      total: count.exactOptional(),
    }).describe("The next when one has ended, so that parallelOrchestrations are in flight."),
    object({
      kind: z.literal("open"),
      arrival: oneOf("constant", "poisson"),
      stages: list(stage).describe("Times in which the rate goes evenly from one value to another, or stays."),
      maxInFlight: count.describe("At most so many are sent and not ended."),
    }).describe("By a schedule, whatever becomes of them."),
  ],
  { error: ({ code }) => (code === "invalid_union" ? '"once", "closed" or "open"' : "an object") },
);

const plan: z.ZodType<ResultPlan> = object({
  iterations: count.exactOptional(),
  parallelActivities: count.exactOptional(),
  parallelOrchestrations: count
    .exactOptional()
    .describe("Started at once, or kept in flight by closed load; absent in open load."),
  load: loadShape.exactOptional(),
  warmupMs: number.exactOptional().describe("Run before what is measured, and left out of latency and throughput."),
  graceMs: number.exactOptional().describe("How long what is in flight may go on after the last start was due."),
  seed: signed.exactOptional(),
  labels: byName(string, "an object of strings").exactOptional(),
  orchestrator: string.exactOptional().describe("Somebody's own orchestration."),
  workers: z.union([z.literal("auto"), count], '"auto" or a whole number'),
  timeoutMs: number,
  activity: object({}).exactOptional().describe("What activities cost, as it was asked for."),
  continueAsNewEvery: count.exactOptional().describe("Iterations."),
});

const environment: z.ZodType<ResultEnvironment> = object({
  fanoutVersion: string,
  sdkVersion: string,
  node: string,
  platform: string,
  cpu: object({ model: string, cores: count }),
  backend: object({
    kind: oneOf("emulator", "scheduler"),
    name: string,
    durability: oneOf("fsync", "process", "ephemeral")
      .exactOptional()
      .describe(
        "What an acknowledged call survives: process and power (it is on the disk), the process alone, neither; " +
          "absent where not known.",
      ),
  }),
  taskHub: string,
  transport: oneOf("link", "http2", "grpc-js")
    .exactOptional()
    .describe("What the run and its own workers made their calls with."),
  ownWorkers: count.describe("Worker processes that the run started for itself."),
  workers: object({ replay: oneOf("sessions", "always") })
    .exactOptional()
    .describe(
      "How they came to the state of an orchestration: kept between two episodes, or by a replay of the history at each.",
    ),
  hub: z
    .union(
      [
        object({
          unfinished: count,
          more: boolean.describe("The count stopped at its limit."),
          runs: list(object({ runId: string, unfinished: count })).describe("Of other fanout runs."),
          foreign: object({
            unfinished: count,
            orchestrators: list(object({ name: string, unfinished: count })).describe("At most ten."),
          })
            .exactOptional()
            .describe("Those of them that no load test started."),
        }),
        object({ unknown: string }),
      ],
      'an object with "unfinished", "more" and "runs", or with "unknown"',
    )
    .describe("What else was unfinished on the task hub when the run started."),
});

const verdict: z.ZodType<Verdict> = object({
  status: oneOf("valid", "suspect", "invalid"),
  reasons: list(
    object({
      severity: oneOf("suspect", "invalid"),
      name: string.describe("For programs, such as slip."),
      text: string.describe("What was found, with its figure and its limit."),
      advice: string.describe("What to change."),
    }),
  ),
});

const counts: z.ZodType<RunResult["counts"]> = object({
  planned: count.exactOptional().describe("Starts that the plan called for; absent where only time bounded them."),
  warmup: count.exactOptional().describe("Of the started, those that belong to the warm-up."),
  orchestrations: object({
    started: count,
    completed: count,
    failed: count,
    terminated: count,
    unfinished: count,
  }).describe("started = completed + failed + terminated + unfinished"),
  activities: object({
    needed: count,
    completed: count,
    reExecuted: count.exactOptional().describe("Executions beyond need, which at-least-once allows."),
    source: oneOf("emulator", "completions").exactOptional().describe("Who counted the completed."),
  }).exactOptional(),
  actions: count.exactOptional().describe("The Scheduler's billing units: what was dispatched and what came back."),
  actionsAtLeast: count
    .exactOptional()
    .describe("In place of actions where not all could be counted: what is known of them."),
  actionsMissing: string.exactOptional().describe("Why not all actions could be counted."),
  rpcErrors: byGrpcStatus,
  rpcErrorsByCall: byName(byGrpcStatus, "an object of counts by call")
    .exactOptional()
    .describe("The same by the name of the call."),
});

/** What a file that holds a result is checked against. Its messages are what was expected. */
export const resultSchema: z.ZodType<RunResult> = object({
  schemaVersion: z.literal(SCHEMA_VERSION, String(SCHEMA_VERSION)),
  runId: string,
  startedAt: z.iso
    .datetime("a time such as 2030-01-02T03:04:05.678Z")
    .describe("When the first start was due, in UTC."),
  durationMs: number.describe("From startedAt until the run ended."),
  interrupted: boolean.describe("A signal ended it."),
  plan,
  environment,
  verdict: verdict
    .exactOptional()
    .describe("Whether the generator itself was healthy enough for the figures to be believed."),
  counts,
  throughput: throughput.exactOptional().describe("Absent while nothing has completed."),
  latencyMs: latencies.describe("Each is absent when it has no sample."),
  phases: list(phase).exactOptional().describe("The warm-up and the stages; absent where there is only one part."),
  series: list(interval).exactOptional().describe("The run over time: consecutive, equally long, at most 3,600."),
  stalls: list(stall)
    .exactOptional()
    .describe("Times in which work was in flight and nothing completed for longer than the run's own rhythm explains."),
  generator: generator.exactOptional().describe("How the process that made the load was doing while it measured."),
  clock: clock.exactOptional().describe("The backend's clock minus the client's."),
  concurrency: concurrency.exactOptional().describe("How many were in flight; of closed load only."),
  noticing: byName(count, "an object of counts by call")
    .exactOptional()
    .describe("Calls made to notice completions, by the name of the call."),
  recount: recount.exactOptional().describe("What the backend said of the run's instances at its end."),
  histograms: byName(histogram, "an object of histograms").exactOptional().describe("Of the latencies by their name."),
  failures: listed(object({ instanceId: string, type: string, message: string })).exactOptional(),
  stuck: listed(object({ instanceId: string, status: string, iterationsCompleted: count.exactOptional() }))
    .exactOptional()
    .describe("Instances that were started and had not ended when the run did."),
  unanswered: listed(string)
    .exactOptional()
    .describe("Of them, those whose start was never answered: whether the backend has taken it is not known."),
  thresholds: list(
    object({
      expression: string,
      value: signed
        .exactOptional()
        .describe("Milliseconds, a share of 1, per second or a number, as the figure has it."),
      passed: boolean,
      reason: string.exactOptional().describe("Why it could not be judged, which counts as missed."),
    }),
  ).exactOptional(),
  comparison: comparisonSchema
    .exactOptional()
    .describe("With --baseline: of all repeats with it, and so in the result of the last one."),
});
