import { z } from "zod";
import { ERROR_CODES, type ErrorCode } from "../errors.js";
import type { ExitCode } from "../exit-codes.js";
import { readJson } from "../format/read-json.js";
import type { LiveUpdate } from "../live/live-update.js";
import { isRunId } from "../plan/run-id.js";
import { parseResult } from "../result/read-result.js";
import type { ResultPlan, RunResult } from "../result/run-result.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { RUN_STATUSES, type RunFacts } from "./listed-run.js";
import { RunFigures } from "./run-figures.js";

/** The Idempotency-Key of a start, and what stands for its body. */
export interface StartKey {
  readonly key: string;
  readonly fingerprint: string;
}

/** What is read of all runs. */
export interface RecordHead {
  readonly facts: RunFacts;
  readonly start?: StartKey | undefined;
  readonly hasResult: boolean;
}

/** One run as it is kept on disk. */
export interface RunRecord extends Omit<RecordHead, "hasResult"> {
  /** The last one, with the whole series. */
  readonly update: LiveUpdate;
  readonly result?: RunResult | undefined;
}

const json = z.record(z.string(), z.unknown());

const factsSchema = z
  .object({
    runId: z.string().refine(isRunId),
    status: z.enum(RUN_STATUSES),
    created: z.iso.datetime(),
    endedAt: z.iso.datetime().optional(),
    planLine: z.string(),
    plan: json,
    mostActions: z.number().optional(),
    snapshot: json.optional(),
    figures: RunFigures.optional(),
    exitCode: z.int().optional(),
    gaveUp: z.string().optional(),
    failure: z.object({ code: z.string().refine((code) => code in ERROR_CODES), message: z.string() }).optional(),
    lines: z.array(z.string()),
  })
  .transform(({ created, endedAt, plan, snapshot, exitCode, failure, ...rest }): RunFacts => ({
    ...rest,
    created: new Date(created),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt) }),
    plan: plan as unknown as ResultPlan,
    snapshot: snapshot as LiveSnapshot | undefined,
    exitCode: exitCode as ExitCode | undefined,
    ...(failure && { failure: { code: failure.code as ErrorCode, message: failure.message } }),
  }));

const headSchema = z.object({
  kind: z.literal("fanout-served-run"),
  version: z.literal(1),
  hasResult: z.boolean(),
  start: z.object({ key: z.string(), fingerprint: z.string() }).optional(),
  facts: factsSchema,
});

const updateSchema = z.looseObject({
  run: z.looseObject({ runId: z.string() }),
  series: z.looseObject({ widthMs: z.number(), intervals: z.array(z.looseObject({ index: z.int().min(0) })) }),
});

/** Three lines of JSON: what is read of all runs, the last update, and the result if there is one. */
export function recordText({ facts, start, update, result }: RunRecord): string {
  const head: RecordHead = { facts, start, hasResult: result !== undefined };
  const lines = [{ kind: "fanout-served-run", version: 1, ...head }, update, ...(result ? [result] : [])];
  return lines.map((line) => `${JSON.stringify(line)}\n`).join("");
}

/**
 * What is kept of a run whose whole record takes too much.
 * @param lost says why its result is gone; undefined if it has none
 */
export function withoutResult({ facts, start, update }: RunRecord, lost: string | undefined): RunRecord {
  return {
    facts: { ...facts, ...(lost !== undefined && { failure: { code: "no-result", message: lost } }) },
    start,
    update: {
      ...update,
      // A page would go to the report.
      ...(lost !== undefined && { phase: { kind: "ended", why: lost } }),
      series: { ...update.series, intervals: [] },
    },
  };
}

/** @throws if the first line of a file is that of something else */
export function headIn(line: string): RecordHead {
  const { kind: _kind, version: _version, ...head } = headSchema.parse(readJson(line));
  return head;
}

/** @throws if the second line of a file is that of something else */
export function updateIn(line: string): LiveUpdate {
  return updateSchema.parse(readJson(line)) as unknown as LiveUpdate;
}

/**
 * @param name what errors call it
 * @throws if the text is not that of a record with a result
 */
export function resultIn(text: string, name: string): RunResult {
  return parseResult(text.split("\n", 3)[2] ?? "", name);
}
