import { z } from "zod";

const count = z.int().min(0);
const milliseconds = z.number().min(0);
const rate = z.number().positive();
const byGrpcStatus = z.record(z.string().regex(/^[A-Z_]+$/u), z.int().positive());

const latencyFields = {
  count: z.int().positive(),
  mean: milliseconds,
  p50: milliseconds.optional(),
  p90: milliseconds.optional(),
  p99: milliseconds.optional(),
  p95: milliseconds.optional(),
  p999: milliseconds.optional(),
  max: milliseconds,
};
const latency = z.strictObject(latencyFields);
const crossing = z.strictObject({
  ...latencyFields,
  until: z.enum(["completed", "noticed"]).optional(),
  boundMs: milliseconds.optional(),
});
const intervalLatency = z.strictObject({
  count: z.int().positive(),
  p50: milliseconds.optional(),
  p99: milliseconds.optional(),
  max: milliseconds,
  buckets: z.array(count).min(2),
});

const hubSurvey = z.union([
  z.strictObject({
    unfinished: count,
    more: z.boolean(),
    runs: z.array(z.strictObject({ runId: z.string(), unfinished: z.int().positive() })),
    foreign: z.strictObject({
      unfinished: count,
      orchestrators: z.array(z.strictObject({ name: z.string(), unfinished: z.int().positive() })).max(10),
    }),
  }),
  z.strictObject({ unknown: z.string().min(1) }),
]);

const interval = z.strictObject({
  fromMs: milliseconds,
  lengthMs: z.number().positive(),
  offered: count,
  started: count,
  completed: count,
  failed: count,
  activities: count.optional(),
  actions: count.optional(),
  inFlight: count,
  rpcErrors: byGrpcStatus.optional(),
  reconnects: z.int().positive().optional(),
  response: intervalLatency.optional(),
  service: intervalLatency.optional(),
});

const listOfIds = z.strictObject({ total: count, first: z.array(z.string().min(1)) });

/**
 * The result as readers of the JSON rely on it, written down once more from the design: fields may be added, none of
 * these renamed, and what adds up has to.
 */
export const runResultSchema = z
  .object({
    schemaVersion: z.literal(1),
    runId: z.string().min(1),
    startedAt: z.iso.datetime(),
    durationMs: milliseconds,
    interrupted: z.boolean(),
    plan: z.object({
      iterations: z.int().positive(),
      parallelActivities: z.int().positive(),
      parallelOrchestrations: z.int().positive().optional(),
      load: z.object({ kind: z.enum(["once", "closed", "open"]) }).optional(),
      warmupMs: milliseconds.optional(),
      graceMs: milliseconds.optional(),
      seed: count.optional(),
      labels: z.record(z.string(), z.string()).optional(),
      workers: z.union([z.literal("auto"), count]),
      timeoutMs: z.number().positive(),
      activity: z.object({ retries: count.optional() }).loose().optional(),
      continueAsNewEvery: z.int().positive().optional(),
    }),
    environment: z.object({
      fanoutVersion: z.string().regex(/^\d+\.\d+\.\d+/u),
      sdkVersion: z.string().regex(/^\d+\.\d+\.\d+/u),
      node: z.string().regex(/^\d+\.\d+\.\d+/u),
      platform: z.string().min(1),
      cpu: z.object({ model: z.string().min(1), cores: z.int().positive() }),
      backend: z.object({
        kind: z.enum(["emulator", "scheduler"]),
        name: z.string().min(1),
        durability: z.enum(["fsync", "process", "ephemeral"]).optional(),
      }),
      transport: z.enum(["link", "http2", "grpc-js"]),
      taskHub: z.string().min(1),
      ownWorkers: count,
      workers: z.strictObject({ replay: z.enum(["sessions", "always"]) }).optional(),
      hub: hubSurvey,
    }),
    verdict: z.object({
      status: z.enum(["valid", "suspect", "invalid"]),
      reasons: z.array(
        z.strictObject({
          severity: z.enum(["suspect", "invalid"]),
          name: z.string().min(1),
          text: z.string().min(1),
          advice: z.string().min(1),
        }),
      ),
    }),
    counts: z.object({
      planned: count.optional(),
      warmup: count.optional(),
      orchestrations: z.object({
        started: count,
        completed: count,
        failed: count,
        terminated: count,
        unfinished: count,
      }),
      activities: z.object({
        needed: count,
        completed: count,
        reExecuted: count.optional(),
        source: z.enum(["emulator", "completions"]),
      }),
      actions: count.optional(),
      actionsAtLeast: count.optional(),
      actionsMissing: z.string().min(1).optional(),
      rpcErrors: byGrpcStatus,
      rpcErrorsByCall: z.record(z.string().regex(/^[A-Z][A-Za-z]+$/u), byGrpcStatus).optional(),
    }),
    throughput: z
      .object({
        makespanMs: z.number().positive().optional(),
        windowMs: z.number().positive().optional(),
        orchestrationsPerSecond: rate,
        activitiesPerSecond: rate,
        actionsPerSecond: rate.optional(),
      })
      .optional(),
    latencyMs: z.object({
      response: crossing.optional(),
      service: crossing.optional(),
      detectionLag: crossing.optional(),
      startRpc: latency.optional(),
      slip: latency.optional(),
      server: latency.optional(),
    }),
    phases: z
      .array(
        z.object({
          name: z.string().min(1),
          fromMs: milliseconds,
          lengthMs: z.number().positive(),
          offeredPerSecond: milliseconds.optional(),
          started: count,
          completed: count,
          completedPerSecond: milliseconds,
          response: crossing.optional(),
          service: crossing.optional(),
        }),
      )
      .min(2)
      .optional(),
    series: z.array(interval).max(3_600),
    stalls: z
      .array(
        z.strictObject({
          fromMs: milliseconds,
          lengthMs: z.number().positive(),
          open: z.literal(true).optional(),
          inFlight: z.int().positive(),
          offeredPerSecond: milliseconds,
          rpcErrors: byGrpcStatus,
        }),
      )
      .min(1)
      .optional(),
    generator: z.object({
      heldBack: count,
      slipMs: latency.optional(),
      slipShare: z
        .partialRecord(z.enum(["mean", "p50", "p90", "p95", "p99", "p999"]), z.number().min(0).max(1))
        .optional(),
      slipGrowthMs: z.number().min(0).optional(),
      eventLoopDelayMs: latency.optional(),
      clockJumpMs: milliseconds.optional(),
      cpu: z.object({ machine: milliseconds, generator: milliseconds }).optional(),
    }),
    clock: z.object({ offsetMs: z.number(), boundMs: milliseconds, driftMs: z.number() }).optional(),
    concurrency: z.object({ planned: z.int().positive(), effective: z.number().positive() }).optional(),
    noticing: z.record(z.string().min(1), count),
    recount: z
      .union([
        z.strictObject({
          instances: count,
          byStatus: z.record(z.string().min(1), count),
          lost: listOfIds,
          unexpected: listOfIds,
        }),
        z.strictObject({ unknown: z.string().min(1) }),
      ])
      .optional(),
    histograms: z.record(z.string().min(1), z.strictObject({ hdr: z.base64(), count: z.int().positive() })).optional(),
    failures: listOf({ type: z.string().min(1), message: z.string().min(1) }).optional(),
    unanswered: z.strictObject({ total: z.int().positive(), first: z.array(z.string()) }).optional(),
    stuck: listOf({ status: z.string().min(1), iterationsCompleted: count.optional() }).optional(),
    thresholds: z
      .array(
        z.strictObject({
          expression: z.string().min(1),
          value: z.number().min(0).optional(),
          passed: z.boolean(),
          reason: z.string().min(1).optional(),
        }),
      )
      .min(1)
      .optional(),
  })
  .superRefine(({ counts, plan, recount, series }, context) => {
    const { orchestrations, activities, actions, actionsAtLeast } = counts;
    const { started, completed, failed, terminated, unfinished } = orchestrations;
    const executions = Math.ceil(plan.iterations / (plan.continueAsNewEvery ?? plan.iterations));
    const planned = counts.planned ?? started;
    const isRegular = completed === started && plan.activity?.retries === undefined;
    const isKnown = recount !== undefined && "instances" in recount;
    const sums: Readonly<Record<string, readonly [stated: number, due: number]>> = {
      "counts.orchestrations.started": [started, completed + failed + terminated + unfinished],
      "counts.activities.needed": [activities.needed, plan.iterations * plan.parallelActivities * planned],
      ...(isRegular && {
        "counts.actions": [actions ?? 0, started + completed * (executions - 1) + 2 * activities.completed] as const,
      }),
      "counts.actions or counts.actionsAtLeast": [
        Number(actions !== undefined) + Number(actionsAtLeast !== undefined),
        1,
      ],
      "counts.actionsMissing": [Number(counts.actionsMissing !== undefined), Number(actionsAtLeast !== undefined)],
      "counts.rpcErrorsByCall": [
        sumOf(Object.values(counts.rpcErrorsByCall ?? {}).flatMap((ofCall) => Object.values(ofCall))),
        sumOf(Object.values(counts.rpcErrors)),
      ],
      "series.started": [sumOf(series.map((one) => one.started)), started],
      "series.completed": [sumOf(series.map((one) => one.completed)), completed],
      "series.failed": [sumOf(series.map((one) => one.failed)), failed + terminated],
      "series.activities": [sumOf(series.map((one) => one.activities ?? 0)), activities.completed],
      ...(isKnown && { "recount.instances": [sumOf(Object.values(recount.byStatus)), recount.instances] }),
    };
    for (const [name, [stated, due]] of Object.entries(sums))
      if (stated !== due) context.addIssue({ code: "custom", message: `${name}: ${stated} should be ${due}` });
  });

export type PublishedResult = z.output<typeof runResultSchema>;

/** Reads one JSON document, and nothing before or after it but a final newline. */
export function parseRunResult(text: string): PublishedResult {
  return runResultSchema.parse(JSON.parse(text));
}

function listOf(shape: z.ZodRawShape) {
  return z.object({
    total: z.int().positive(),
    first: z.array(z.strictObject({ instanceId: z.string().min(1), ...shape })),
  });
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
