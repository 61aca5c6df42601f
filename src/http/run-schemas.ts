import { z } from "zod";
import { planSchemaWithoutFiles, type PlanKey } from "../plan/plan-file-keys.js";
import { RUN_STATUSES, type ListedRun } from "../runs/listed-run.js";
import { RunFigures } from "../runs/run-figures.js";

/** The bodies of the run API, as `request-schemas.ts` has those of the orchestration API. */

const RUN_ID = "rmwvaxyifz2wa";
const EXAMPLE_PLAN = { rate: "50/s", duration: "1m", iterations: 3, threshold: ["p99<500ms"] };

export function planBody(keys: readonly PlanKey[]) {
  return planSchemaWithoutFiles(keys)
    .describe("A plan: the keys of a plan file (schema/plan.v1.schema.json), without those of places and files.")
    .meta({ examples: [EXAMPLE_PLAN, { iterations: 3, parallelActivities: 4, parallelOrchestrations: 2 }] });
}

export const RunParams = z.object({ runId: z.string() });

export const StartHeaders = z.looseObject({
  "idempotency-key": z
    .string()
    .optional()
    .describe(
      "A key of the caller's, up to 255 characters. The same key with the same body is the same run. " +
        "With another body it is refused (422). The key lives as long as its run.",
    )
    .meta({ examples: ['"8e03978e-40d5-43dd-bc93-6894a57f9324"'] }),
});

export const EventsHeaders = z.looseObject({
  "last-event-id": z
    .string()
    .optional()
    .describe("The id of the last event that the viewer has. A browser sends it when it connects again."),
});

const time = z.string().meta({ format: "date-time", description: "ISO 8601, in UTC." });
const json = z.record(z.string(), z.unknown());

export const Run = z
  .object({
    runId: z.string(),
    status: z.enum(RUN_STATUSES),
    created: time,
    ended: time.optional(),
    planLine: z.string().describe("The plan and its cost, in words."),
    plan: json.describe("The plan, as a result has it."),
    actions: z
      .int()
      .optional()
      .describe(
        "How many actions it may cost; absent if only time bounds them, or if those of each orchestration are unknown.",
      ),
    snapshot: json.optional().describe("How far it is: the counts and latencies of now, or of its end."),
    figures: RunFigures.describe("Of its result, or of the run so far."),
    exitCode: z
      .int()
      .optional()
      .describe("Of a completed run: 0, or 1 something failed, 96 the measurement is invalid, 99 a threshold missed."),
    gaveUp: z.string().optional().describe("Why it ended before all its orchestrations had."),
    error: z
      .object({ code: z.string(), message: z.string() })
      .optional()
      .describe("Why it has no result, or none any more."),
    lines: z.array(z.string()).describe("What it said to people, the last 100 lines."),
  })
  .meta({
    examples: [
      {
        runId: RUN_ID,
        status: "running",
        created: "2030-01-02T03:04:05.678Z",
        planLine: "2 orchestrations x 3 iterations x 4 activities = 24 activities, 50 actions",
        plan: { iterations: 3, parallelActivities: 4, parallelOrchestrations: 2 },
        actions: 50,
        figures: { activitiesPerSecond: 96.4 },
        lines: [],
      },
    ],
  });

export type Run = z.output<typeof Run>;

/** Without what it said, which is long. */
export const RunOfList = Run.omit({ lines: true });

export const RunList = z
  .object({ runs: z.array(RunOfList) })
  .describe("The last one to start comes first. Without `lines`.");

export const Result = json.describe("The result: schema/run-result.v1.schema.json.");

export const EventStream = z.string().meta({
  examples: [
    `id: ${RUN_ID}/2\nevent: update\ndata: ${JSON.stringify({
      run: { runId: RUN_ID, planLine: "2 orchestrations x 3 iterations", load: "once", labels: {}, warmupMs: 0 },
      phase: { kind: "running" },
      snapshot: { elapsedMs: 1_000, orchestrations: { total: 2, started: 2, ended: 1 } },
      series: { widthMs: 1_000, intervals: [{ index: 0, offered: 2, started: 2, completed: 1, failed: 0 }] },
      stalls: [],
      thresholds: [],
    })}\n\n`,
    `id: ${RUN_ID}/ended\nevent: ended\ndata: {"runId":"${RUN_ID}","status":"completed","exitCode":0}\n\n`,
  ],
});

export const Nothing = z.undefined().describe("The run has ended, and the viewer has seen it.");

export function runOfList(run: ListedRun): z.output<typeof RunOfList> {
  const { lines: _lines, ...body } = runBody(run);
  return body;
}

export function runBody(run: ListedRun): Run {
  const { runId, status, created, endedAt, snapshot, exitCode, gaveUp, failure, lines } = run;
  const { plan, planLine, mostActions, figures = {} } = run;
  return {
    runId,
    status,
    created: created.toISOString(),
    ...(endedAt && { ended: endedAt.toISOString() }),
    planLine,
    plan: { ...plan },
    ...(mostActions !== undefined && { actions: mostActions }),
    ...(snapshot && { snapshot: { ...snapshot } }),
    figures,
    ...(exitCode !== undefined && { exitCode }),
    ...(gaveUp !== undefined && { gaveUp }),
    ...(failure && { error: { ...failure } }),
    lines: [...lines],
  };
}
