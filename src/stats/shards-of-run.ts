import { isDeepStrictEqual } from "node:util";
import { UsageError } from "../errors.js";
import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import type { ResultPlan, RunResult, RunTally } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";

/** The intervals of a series are at least as long. */
const FARTHEST_APART_MS = 1_000;
/** Of a digest: enough to tell two contents apart. */
const SHOWN_DIGITS = 12;

/** The result of one shard, with what merging needs. */
export type ShardResult = RunResult & {
  readonly tally: RunTally;
  readonly plan: { readonly shard: Shard };
  /** How its generator died. Its counts are then the backend's, and it has no latencies. */
  readonly died?: string;
};

/** A result, and the name of the place where it was found. */
export interface NamedResult {
  readonly name: string;
  readonly result: RunResult;
}

/**
 * The results of all the shards of one run, in the order of their numbers.
 * @throws UsageError that names the file with a result of anything else, or the shards that are missing
 */
export function shardsOfRun(results: readonly NamedResult[]): readonly [ShardResult, ...ShardResult[]] {
  const shards = results.map(({ name, result }) => ({ name: oneLine(name), result: shardOf(name, result) }));
  shards.sort((a, b) => a.result.plan.shard.number - b.result.plan.shard.number);
  const [first, ...rest] = shards;
  if (first === undefined) throw unmergeable("expected the results of all shards of a run, found none");
  for (const [index, other] of rest.entries()) {
    const before = shards[index]!;
    requireOneRun(first.name, first.result, other.name, other.result);
    const { number } = other.result.plan.shard;
    if (number === before.result.plan.shard.number)
      throw unmergeable(`expected each shard once, found shard ${number} in ${before.name} and in ${other.name}`);
  }
  const { of } = first.result.plan.shard;
  const found = new Set(shards.map(({ result }) => result.plan.shard.number));
  const missing = Array.from({ length: of }, (_, index) => index + 1).filter((number) => !found.has(number));
  if (missing.length > 0) {
    const word = missing.length === 1 ? "shard" : "shards";
    throw unmergeable(
      `expected all ${of} shards of run ${oneLine(first.result.runId)}, found none of ${word} ${missing.join(", ")}`,
      "a run of which a part is missing has no figures; run all shards again with another --run-id",
    );
  }
  return [first.result, ...rest.map(({ result }) => result)];
}

/** @throws UsageError if it is not the result of one shard */
export function shardOf(name: string, result: RunResult): ShardResult {
  const { plan, tally } = result;
  if (plan.shard !== undefined && tally !== undefined)
    return { ...result, tally, plan: { ...plan, shard: plan.shard } };
  const found = result.shards === undefined ? "that of a whole run" : "one that is merged already";
  throw unmergeable(
    `${oneLine(name)}: expected the result of one shard, found ${found}`,
    "make one with: fanout run --shard",
  );
}

function requireOneRun(firstName: string, first: ShardResult, name: string, other: ShardResult): void {
  const places = `in ${firstName} and in ${name}`;
  if (first.runId !== other.runId) {
    const ids = `${oneLine(first.runId)} and ${oneLine(other.runId)}`;
    throw unmergeable(`expected shards of one run, found the run ids ${ids} ${places}`);
  }
  requireOneContent(firstName, inputsOf(first.plan), name, inputsOf(other.plan));
  const [field] = differingFields(first, other);
  if (field !== undefined) throw unmergeable(`expected one plan, found another value of ${field} ${places}`);

  const apartMs = Math.abs(Date.parse(first.startedAt) - Date.parse(other.startedAt));
  if (apartMs > FARTHEST_APART_MS) {
    throw unmergeable(
      `expected shards that began together, found ${formatDuration(apartMs)} between the first starts ${places}`,
      "give all shards the same --start-at",
    );
  }
}

type Inputs = NonNullable<ResultPlan["inputs"]>;

/** The input files of a plan, in its order; undefined for an orchestration without one. */
function inputsOf({ inputs, orchestrations = [] }: ResultPlan): readonly (Inputs | undefined)[] {
  return [inputs, ...orchestrations.map((each) => each.inputs)];
}

function requireOneContent(
  firstName: string,
  first: readonly (Inputs | undefined)[],
  name: string,
  others: readonly (Inputs | undefined)[],
): void {
  for (const [place, mine] of first.entries()) {
    const theirs = others[place];
    if (mine === undefined || theirs === undefined || mine.sha256 === theirs.sha256) continue;
    throw unmergeable(
      `expected the same inputs, found other contents in ${contentText(mine)} of ${firstName} and in ` +
        `${contentText(theirs)} of ${name}`,
      "run all shards again, with the same file",
    );
  }
}

function contentText({ file, lines, sha256 }: Inputs): string {
  return `${oneLine(file)} (${plural(lines, "line")}, SHA-256 ${oneLine(sha256).slice(0, SHOWN_DIGITS)}...)`;
}

/**
 * What all shards have alike: the plan without the workers, which one shard may start for all, and without the names of files
 * whose content is in it, as a digest or as the flags themselves.
 */
function commonPlan({
  shard: _shard,
  workers: _workers,
  planFile: _name,
  inputs,
  orchestrations,
  ...plan
}: ResultPlan) {
  return {
    ...plan,
    inputs: inputs && { ...inputs, file: undefined },
    orchestrations: orchestrations?.map((each) => {
      return { ...each, inputs: each.inputs && { ...each.inputs, file: undefined } };
    }),
  };
}

/** Names of what differs and must not: the plan, and the program and the backend that the figures are of. */
function differingFields(first: ShardResult, other: ShardResult): readonly string[] {
  const [plan, otherPlan] = [first, other].map((shard) => commonPlan(shard.plan) as Record<string, unknown>);
  const names = new Set([...Object.keys(plan!), ...Object.keys(otherPlan!)]);
  const inPlan = [...names].filter((name) => !isDeepStrictEqual(plan![name], otherPlan![name]));
  const { environment: mine } = first;
  const { environment: theirs } = other;
  return [
    ...(first.plan.shard.of === other.plan.shard.of ? [] : ["plan.shard.of"]),
    ...inPlan.map((name) => `plan.${name}`),
    ...(mine.fanoutVersion === theirs.fanoutVersion ? [] : ["environment.fanoutVersion"]),
    ...(mine.backend.kind === theirs.backend.kind ? [] : ["environment.backend.kind"]),
    ...(mine.taskHub === theirs.taskHub ? [] : ["environment.taskHub"]),
  ];
}

function unmergeable(problem: string, hint?: string): UsageError {
  return new UsageError("unmergeable-results", problem, { hint });
}
