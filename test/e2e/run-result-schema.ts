import { z } from "zod";

const count = z.int().min(0);
const milliseconds = z.number().min(0);
const rate = z.number().positive();

const latency = z.strictObject({
  count: z.int().positive(),
  mean: milliseconds,
  p50: milliseconds.optional(),
  p90: milliseconds.optional(),
  p99: milliseconds.optional(),
  p999: milliseconds.optional(),
  max: milliseconds,
});

const hubSurvey = z.union([
  z.strictObject({
    unfinished: count,
    more: z.boolean(),
    runs: z.array(z.strictObject({ runId: z.string(), unfinished: z.int().positive() })),
  }),
  z.strictObject({ unknown: z.string().min(1) }),
]);

/**
 * The result as readers of the JSON rely on it, written down once more from the design: fields may be added, none of
 * these renamed, and what adds up has to.
 */
export const runResultSchema = z
  .object({
    schemaVersion: z.literal(1),
    runId: z.string().regex(/^r[0-9a-z]{12}$/u),
    startedAt: z.iso.datetime(),
    durationMs: milliseconds,
    interrupted: z.boolean(),
    plan: z.object({
      iterations: z.int().positive(),
      parallelActivities: z.int().positive(),
      parallelOrchestrations: z.int().positive(),
      workers: z.union([z.literal("auto"), count]),
      timeoutMs: z.number().positive(),
      activity: z.object({}).loose().optional(),
      continueAsNewEvery: z.int().positive().optional(),
    }),
    environment: z.object({
      fanoutVersion: z.string().regex(/^\d+\.\d+\.\d+/u),
      sdkVersion: z.string().regex(/^\d+\.\d+\.\d+/u),
      node: z.string().regex(/^\d+\.\d+\.\d+/u),
      platform: z.string().min(1),
      cpu: z.object({ model: z.string().min(1), cores: z.int().positive() }),
      backend: z.object({ kind: z.enum(["emulator", "scheduler"]), name: z.string().min(1) }),
      taskHub: z.string().min(1),
      ownWorkers: count,
      hub: hubSurvey,
    }),
    verdict: z.object({ status: z.enum(["valid", "suspect", "invalid"]), reasons: z.array(z.string()) }).optional(),
    counts: z.object({
      orchestrations: z.object({
        started: count,
        completed: count,
        failed: count,
        terminated: count,
        unfinished: count,
      }),
      activities: z.object({ needed: z.int().positive(), completed: count }),
      actions: count,
      rpcErrors: z.record(z.string().regex(/^[A-Z_]+$/u), z.int().positive()),
    }),
    throughput: z
      .object({
        makespanMs: z.number().positive(),
        orchestrationsPerSecond: rate,
        activitiesPerSecond: rate,
        actionsPerSecond: rate,
      })
      .optional(),
    latencyMs: z.object({
      response: latency.optional(),
      service: latency.optional(),
      startRpc: latency.optional(),
      slip: latency.optional(),
      server: latency.optional(),
    }),
    failures: listOf({ type: z.string().min(1), message: z.string().min(1) }).optional(),
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
  .superRefine(({ counts: { orchestrations, activities, actions }, plan }, context) => {
    const { started, completed, failed, terminated, unfinished } = orchestrations;
    const executions = Math.ceil(plan.iterations / (plan.continueAsNewEvery ?? plan.iterations));
    const sums = {
      started: [started, completed + failed + terminated + unfinished],
      "activities.needed": [activities.needed, plan.iterations * plan.parallelActivities * plan.parallelOrchestrations],
      actions: [actions, started + completed * (executions - 1) + 2 * activities.completed],
    };
    for (const [name, [stated, due]] of Object.entries(sums)) {
      if (stated !== due) context.addIssue({ code: "custom", message: `counts.${name}: ${stated} should be ${due}` });
    }
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
