import { describe, expect, test } from "vitest";
import { z } from "zod";
import { planFileSchema } from "../../../src/plan/plan-file-keys.js";
import { comparedSidesSchema } from "../../../src/report/compared-sides.js";
import { capacitySchema } from "../../../src/result/capacity-schema.js";
import { comparisonSchema } from "../../../src/result/comparison-schema.js";
import { resultSchema, SCHEMA_VERSION } from "../../../src/result/result-schema.js";
import { soakEvidenceSchema, soakSchema } from "../../../src/result/soak-schema.js";
import { timelinesSchema } from "../../../src/result/timeline-schema.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { incompleteResult } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import {
  CAPACITY_SCHEMA,
  COMPARISON_SCHEMA,
  PLAN_SCHEMA,
  RESULT_SCHEMA,
  schemaErrors,
  SIDES_SCHEMA,
  SOAK_EVIDENCE_SCHEMA,
  SOAK_SCHEMA,
  TIMELINES_SCHEMA,
  unknownFields,
} from "../../support/report/published-schema.js";
import { runKeys } from "../../support/plan/run-keys.js";
import { sampleResult } from "../../support/report/sample-result.js";

/** A published schema: where it is, what it is made from, and its head. */
const PUBLISHED = [
  {
    file: RESULT_SCHEMA,
    schema: resultSchema,
    $id: `urn:fanout:run-result:v${SCHEMA_VERSION}`,
    title: "The result of a fanout run",
    description: "What `fanout run --json` writes. Later versions may add fields; none is renamed.",
  },
  {
    file: COMPARISON_SCHEMA,
    schema: comparisonSchema,
    $id: "urn:fanout:comparison:v1",
    title: "A comparison of two sets of fanout runs",
    description: "What `fanout compare --json` writes of results. Later versions may add fields; none is renamed.",
  },
  {
    file: CAPACITY_SCHEMA,
    schema: capacitySchema,
    $id: "urn:fanout:capacity:v1",
    title: "The answer of a fanout capacity search",
    description: "What `fanout capacity --json` writes. Later versions may add fields; none is renamed.",
  },
  {
    file: SIDES_SCHEMA,
    schema: comparedSidesSchema,
    $id: "urn:fanout:compared-sides:v1",
    title: "Sides that fanout measured in turn, and how they compare",
    description: "What `fanout compare --run ... --json` writes. Later versions may add fields; none is renamed.",
  },
  {
    file: PLAN_SCHEMA,
    schema: planFileSchema(runKeys()),
    $id: "urn:fanout:plan:v1",
    title: "A plan file of fanout run",
    description: "What `fanout run --plan` reads and `--print-plan` writes: flags by their long names in camel case.",
  },
  {
    file: SOAK_SCHEMA,
    schema: soakSchema,
    $id: "urn:fanout:soak:v1",
    title: "A fanout soak",
    description: "What `fanout soak` keeps as soak.json. Later versions may add fields; none is renamed.",
  },
  {
    file: SOAK_EVIDENCE_SCHEMA,
    schema: soakEvidenceSchema,
    $id: "urn:fanout:soak-evidence:v1",
    title: "The evidence of an alarm of a fanout soak",
    description: "What `fanout soak` keeps as alarm-N.json. Later versions may add fields; none is renamed.",
  },
  {
    file: TIMELINES_SCHEMA,
    schema: timelinesSchema,
    $id: "urn:fanout:timelines:v1",
    title: "Timelines of orchestrations",
    description: "What `fanout timeline --json` writes. Later versions may add fields; none is renamed.",
  },
];

function publishedText({ schema, $id, title, description }: (typeof PUBLISHED)[number]): string {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input", override: withoutLargest });
  return `${JSON.stringify({ $schema, $id, title, description, ...rest }, undefined, 2)}\n`;
}

/** What JavaScript cannot count further than is no limit of a result. */
function withoutLargest({ jsonSchema }: { jsonSchema: { maximum?: number } }): void {
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
}

describe("the published JSON Schema", () => {
  test.each(PUBLISHED)("$file is up to date; `npm run schema` writes it", async (published) => {
    await expect(publishedText(published)).toMatchFileSnapshot(published.file);
  });

  test.each(Object.entries({ sampleResult, brokenDownResult, incompleteResult, openLoadResult, closedLoadResult }))(
    "accepts %s",
    (_name, result) => {
      expect(schemaErrors(result)).toEqual([]);
    },
  );

  test("accepts fields that it does not know", () => {
    const plan = { ...sampleResult.plan, mood: "good" };
    expect(schemaErrors({ ...sampleResult, plan, weather: {} })).toEqual([]);
    expect(unknownFields({ ...sampleResult, plan, weather: {} })).toEqual([
      " must NOT have additional properties: weather",
    ]);
    expect(unknownFields(openLoadResult)).toEqual([]);
  });

  const { latencyMs: _latency, ...withoutLatency } = sampleResult;
  test.each<readonly [error: string, value: unknown]>([
    ["/schemaVersion must be equal to constant", { ...sampleResult, schemaVersion: 2 }],
    [" must have required property 'latencyMs'", withoutLatency],
    ["/durationMs must be >= 0", { ...sampleResult, durationMs: -1 }],
    ["/startedAt must match pattern", { ...sampleResult, startedAt: "yesterday" }],
    ["/plan/load/arrival must be equal to one of", openLoadWith({ arrival: "late" })],
    ["/verdict/status must be equal to one of", { ...sampleResult, verdict: { status: "good", reasons: [] } }],
    [
      "/series/0/offered must be integer",
      { ...openLoadResult, series: [{ ...openLoadResult.series![0], offered: 1.5 }] },
    ],
    [
      "/latencyMs/response must have required property 'max'",
      { ...sampleResult, latencyMs: { response: { count: 1, mean: 1 } } },
    ],
  ])("refuses a result that is broken: %s", (error, value) => {
    expect(schemaErrors(value)).toContainEqual(expect.stringContaining(error));
    expect(resultSchema.safeParse(value).success).toBe(false);
  });
});

function openLoadWith(changes: object): object {
  const { plan } = openLoadResult;
  return { ...openLoadResult, plan: { ...plan, load: { ...plan.load, ...changes } } };
}
