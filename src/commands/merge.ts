import { z } from "zod";
import type { ExitCode } from "../exit-codes.js";
import { readFlags } from "../plan/flag-values.js";
import { checkResultFiles } from "../report/report-files.js";
import { readResult } from "../result/read-result.js";
import { mergeShards } from "../stats/merge-shards.js";
import { shardsOfRun } from "../stats/shards-of-run.js";
import { judge, parseThreshold } from "../stats/threshold.js";
import type { CommandIo } from "./io.js";
import { exitCodeOfRun } from "./run-exit-code.js";
import { RunResults } from "./run-results.js";

const file = z.string().optional();

const mergeFlags = z.object({
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  html: file,
  markdown: file,
  junit: file,
  csv: file,
  text: file,
  threshold: z.array(z.string()).default([]),
  allowInvalid: z.boolean().default(false),
});

/** `fanout merge`: one result of the results of all shards of a run, judged as that of a single generator. */
export async function runMergeCommand(files: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const { threshold, allowInvalid, ...outputs } = readFlags(mergeFlags, rawFlags);
  await checkResultFiles(outputs);
  const named = await Promise.all(files.map(async (name) => ({ name, result: await readResult(name) })));
  const merged = mergeShards(shardsOfRun(named));
  const thresholds = threshold.map((text) => parseThreshold(text, merged.plan.orchestrations));
  const result =
    thresholds.length === 0 ? merged : { ...merged, thresholds: thresholds.map((each) => judge(each, merged)) };
  const outcome = { result, gaveUp: undefined, aborted: false };
  const results = new RunResults({ ...outputs, repeat: 1 }, io);
  try {
    await results.add(outcome);
  } finally {
    results.end();
  }
  // Whoever interrupted a shard has been told so by that shard; its unfinished part is a failure of the whole.
  return exitCodeOfRun(outcome, { allowInvalid });
}
