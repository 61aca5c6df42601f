import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import type { LatencySummary, RunResult } from "../stats/run-result.js";

const SCHEMA_VERSION = 1;
const LONGEST_FOUND = 60;

// The message of each is what was expected. A field that is not known here passes: a newer fanout may have written it.
const string = z.string("a string");
const boolean = z.boolean("true or false");
const number = z.number("a number").min(0, "a number from 0 on");
const count = z.int("a whole number").min(0, "a whole number from 0 on");
const object = <T extends z.ZodRawShape>(shape: T) => z.looseObject(shape, "an object");
const list = <T extends z.ZodType>(item: T) => z.array(item, "a list");

const latency: z.ZodType<LatencySummary> = object({
  count,
  mean: number,
  p50: number.exactOptional(),
  p90: number.exactOptional(),
  p99: number.exactOptional(),
  p999: number.exactOptional(),
  max: number,
});

const runResult: z.ZodType<RunResult> = object({
  schemaVersion: z.literal(SCHEMA_VERSION, String(SCHEMA_VERSION)),
  runId: string,
  startedAt: z.iso.datetime("a time such as 2030-01-02T03:04:05.678Z"),
  durationMs: number,
  interrupted: boolean,
  plan: object({
    iterations: count.exactOptional(),
    parallelActivities: count.exactOptional(),
    parallelOrchestrations: count,
    orchestrator: string.exactOptional(),
    workers: z.union([z.literal("auto"), count], '"auto" or a whole number'),
    timeoutMs: number,
    activity: object({}).exactOptional(),
    continueAsNewEvery: count.exactOptional(),
  }),
  environment: object({
    fanoutVersion: string,
    sdkVersion: string,
    node: string,
    platform: string,
    cpu: object({ model: string, cores: count }),
    backend: object({ kind: z.enum(["emulator", "scheduler"], '"emulator" or "scheduler"'), name: string }),
    taskHub: string,
    ownWorkers: count,
    hub: z.union(
      [
        object({ unfinished: count, more: boolean, runs: list(object({ runId: string, unfinished: count })) }),
        object({ unknown: string }),
      ],
      'an object with "unfinished", "more" and "runs", or with "unknown"',
    ),
  }),
  counts: object({
    orchestrations: object({
      started: count,
      completed: count,
      failed: count,
      terminated: count,
      unfinished: count,
    }),
    activities: object({ needed: count, completed: count }).exactOptional(),
    actions: count.exactOptional(),
    rpcErrors: z.record(z.string().regex(/^\w+$/u), count, "an object of counts by gRPC status"),
  }),
  throughput: object({
    makespanMs: number,
    orchestrationsPerSecond: number,
    activitiesPerSecond: number.exactOptional(),
    actionsPerSecond: number.exactOptional(),
  }).exactOptional(),
  latencyMs: object({
    response: latency.exactOptional(),
    service: latency.exactOptional(),
    startRpc: latency.exactOptional(),
    slip: latency.exactOptional(),
    server: latency.exactOptional(),
  }),
  failures: object({
    total: count,
    first: list(object({ instanceId: string, type: string, message: string })),
  }).exactOptional(),
  stuck: object({
    total: count,
    first: list(object({ instanceId: string, status: string, iterationsCompleted: count.exactOptional() })),
  }).exactOptional(),
  thresholds: list(
    object({
      expression: string,
      value: z.number("a number").exactOptional(),
      passed: boolean,
      reason: string.exactOptional(),
    }),
  ).exactOptional(),
});

/**
 * The result in a file that `fanout run --json FILE` wrote; `-` is stdin.
 * @throws UsageError
 */
export async function readResult(file: string): Promise<RunResult> {
  if (file === "-") return parseResult(await text(process.stdin), "stdin");
  const content = await readFile(file, "utf8").catch((error: unknown) => {
    throw new UsageError(`expected a file that \`fanout run --json FILE\` wrote, found ${errorText(error)}`, {
      cause: error,
    });
  });
  return parseResult(content, file);
}

/**
 * The result that `resultJson` wrote; `name` is what errors call it.
 * @throws UsageError
 */
export function parseResult(content: string, name: string): RunResult {
  const value = parseJson(content, name);
  const version = valueAt(value, ["schemaVersion"]);
  if (typeof version === "number" && version > SCHEMA_VERSION) {
    const expected = `expected ${SCHEMA_VERSION}, found ${version}`;
    throw new UsageError(`${name}: schemaVersion: ${expected}: a newer fanout wrote it, update this one`);
  }
  const parsed = runResult.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.length ? issue.path.join(".") : "the result";
  throw new UsageError(
    `${name}: ${field}: expected ${issue?.message}, found ${foundText(valueAt(value, issue?.path ?? []))}`,
  );
}

function parseJson(content: string, name: string): unknown {
  try {
    // Shells of Windows begin what they redirect with a byte order mark.
    return JSON.parse(content.replace(/^\uFEFF/u, ""));
  } catch (error) {
    const found = content.trim() === "" ? "nothing" : `what is no JSON: ${errorText(error)}`;
    throw new UsageError(`${name}: expected the JSON that \`fanout run --json FILE\` wrote, found ${found}`, {
      cause: error,
    });
  }
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (found, key) => (typeof found === "object" && found !== null ? Reflect.get(found, key) : undefined),
    value,
  );
}

/** JSON text has no control characters, so that it is safe to print. */
function foundText(value: unknown): string {
  if (value === undefined) return "nothing";
  const json = JSON.stringify(value);
  return json.length > LONGEST_FOUND ? `${json.slice(0, LONGEST_FOUND)}...` : json;
}
