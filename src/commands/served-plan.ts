import type { z } from "zod";
import type { Connection } from "../backend/connection-string.js";
import { chooseTransport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { formatCount, plural } from "../format/count.js";
import { refuseUncarried } from "../load/uncarried-thresholds.js";
import { generatorsOf } from "../plan/generators-flag.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import { resultPlanOf } from "../plan/plan.js";
import type { Flags } from "../plan/plan-file.js";
import { FIELDS_OF_MIXED, planSchemaWithoutFiles, type PlanKey } from "../plan/plan-file-keys.js";
import { guardSpend, spendBoundOf, spendText, type Billing, type SpendBound } from "../plan/spend-guard.js";
import { planLine } from "../report/plan-line.js";
import type { PlannedRun } from "../runs/planned-run.js";
import { parseRunCall, type RunCall } from "./run-call.js";
import { machineOf } from "./run.js";

const OWN_BACKEND = "the server starts runs on its own backend and task hub";
const OWN_FILES = "the server writes and reads no files; GET the result instead";

/** How many errors of one plan are told. */
const MOST_TOLD = 20;

/** Keys of a plan file that a start over HTTP does not take, and why. */
const NOT_OVER_HTTP: Readonly<Record<string, string>> = {
  connectionString: OWN_BACKEND,
  taskHub: OWN_BACKEND,
  json: OWN_FILES,
  html: OWN_FILES,
  markdown: OWN_FILES,
  junit: OWN_FILES,
  csv: OWN_FILES,
  text: OWN_FILES,
  baseline: OWN_FILES,
  inputOrder: "the server reads no files, and so each orchestration has one input",
  live: "follow the events of the run instead",
  liveKeep: "follow the events of the run instead",
  metricsPort: "the server's own /metrics has the figures of its runs",
  otlp: "the server sends nothing to addresses that a request names; its own /metrics has the figures of its runs",
  quiet: "nothing is printed",
  dryRun: "the server has no dry run; use `fanout run --dry-run`",
  leave: "a run that is cancelled, or whose server ends, terminates what it started",
  repeat: "each request starts one run; start the next one when it has ended",
  shard: "each request starts a whole run",
  purge: "`fanout purge --run` deletes the instances of a run",
  capacityUnits: "it only changes what `fanout run` prints",
};

/** Where the flag does something that a key over HTTP does not, or says it in other words. */
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  input: "the input of --orchestrator, as JSON",
  threshold: "what has to hold, such as p99<500ms; repeatable",
  maxActions:
    "refuse a run that costs more, or that starts more orchestrations of unknown cost; needed on a backend other than the emulator",
  allowInvalid: "let the exit code be 0 although the load generator was not healthy",
};

/** The keys that a start over HTTP takes. */
export function servedKeys(keys: readonly PlanKey[]): readonly PlanKey[] {
  return keys
    .filter(({ name }) => !Object.hasOwn(NOT_OVER_HTTP, name))
    .map((key) => ({ ...key, description: DESCRIPTIONS[key.name] ?? key.description }));
}

/**
 * Reads the plan of a start over HTTP: an object with the keys of a plan file.
 * @throws UsageError that names each key that is unknown, refused or has a wrong value
 */
export function readServedPlan(
  body: Readonly<Record<string, unknown>>,
  { keys, defaults, connection }: { keys: readonly PlanKey[]; defaults: Flags; connection: Connection },
): PlannedRun {
  const parsed = planSchemaWithoutFiles(servedKeys(keys)).safeParse(body);
  if (!parsed.success) throw wrongKeys(parsed.error);
  const given = Object.entries(parsed.data).filter(([, value]) => value !== false && value !== undefined);
  const flags = { ...defaults, ...Object.fromEntries(given.map(([name, value]) => [name, textOf(name, value)])) };
  try {
    const call = parseRunCall(flags);
    chooseTransport(connection, call.transport);
    refuseUncarried(call.thresholds, call.plan);
    generatorsOf(call.plan, call.generators, machineOf(connection, call.plan));
    const bound = spendBoundOf(call.cost, 1);
    refuseUncountable(bound);
    return {
      flags,
      plan: resultPlanOf(call.plan),
      planLine: planLine(call.plan),
      runId: call.runId,
      foreignNames: foreignNames(call.plan),
      mostActions: bound.kind === "actions" ? bound.most : undefined,
      mostStarts: call.cost.mostStarts,
      guard: (billing) => inKeys(() => guard(call, bound, billing)),
    };
  } catch (error) {
    throw error instanceof UsageError ? withKeys(error) : error;
  }
}

/** Nobody sits at a terminal who could be asked, so that a backend that bills gets no run without a bound. */
function guard({ cost, limits }: RunCall, bound: SpendBound, billing: Billing): void {
  if (billing === "billed" && limits.maxActions === undefined) {
    const enough = bound.kind === "time" ? "" : ` ${formatCount(bound.most)} (or greater)`;
    const boundsStarts = bound.kind === "starts" ? ", which then bounds the starts" : "";
    throw new UsageError(
      "spend-limit",
      `maxActions: expected it, since a backend other than the emulator may bill actions; ${spendText(cost, bound)}`,
      { hint: `add maxActions${enough}${boundsStarts}` },
    );
  }
  guardSpend(cost, limits, 1, billing);
}

/** Beyond it, a number in JSON is not exact. */
function refuseUncountable(bound: SpendBound): void {
  if (bound.kind === "time" || Number.isSafeInteger(bound.most)) return;
  const most = formatCount(Number.MAX_SAFE_INTEGER);
  throw new UsageError(
    "invalid-value",
    `maxActions: expected a plan of at most ${most} ${bound.kind}, found one of more`,
    {
      hint: "reduce retries, the duration, or the activities of an orchestration",
    },
  );
}

/** The first of what is wrong: a body has room for a hundred thousand wrong keys. */
function wrongKeys(error: z.ZodError): UsageError {
  const all = error.issues.flatMap((issue): readonly WrongKey[] =>
    issue.code === "unrecognized_keys" ? issue.keys.map((key) => ({ issue, key })) : [{ issue }],
  );
  const told = all.slice(0, MOST_TOLD).map(errorOf);
  const rest = all.length - told.length;
  if (rest > 0) told.push(new UsageError("invalid-value", `The plan has ${plural(rest, "more error")}.`));
  const [first, ...more] = told;
  return UsageError.all([first!, ...more]);
}

interface WrongKey {
  readonly issue: z.core.$ZodIssue;
  /** Unknown in the place of the issue. Without it, the value in that place is wrong. */
  readonly key?: string;
}

function errorOf({ issue: { path, message }, key }: WrongKey): UsageError {
  if (key === undefined) return new UsageError("invalid-value", `${path.join(".")}: ${message}`);
  const name = [...path, key].join(".");
  const isFlag = path.length === 0 || FIELDS_OF_MIXED.includes(key);
  if (isFlag && Object.hasOwn(NOT_OVER_HTTP, key))
    return new UsageError("invalid-value", `${name}: not over HTTP: ${NOT_OVER_HTTP[key]}`);
  return new UsageError("unknown-flag", `${name}: unknown key`, { hint: "a plan has the keys of a plan file" });
}

/** A flag's value as commander returns it. An input is JSON, and never the name of a file of the server. */
function textOf(name: string, value: unknown): unknown {
  if (name === "input") return JSON.stringify(value);
  if (Array.isArray(value)) return value.map((item: unknown) => textOf("", item));
  if (typeof value === "number") return String(value);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, part]) => [field, textOf(field, part)]));
}

function inKeys(act: () => void): void {
  try {
    act();
  } catch (error) {
    throw error instanceof UsageError ? withKeys(error) : error;
  }
}

/** The same error, which says `maxActions` where it said `--max-actions`. */
function withKeys(error: UsageError): UsageError {
  const { code, problem, hint, more } = error;
  const first = new UsageError(code, keysIn(problem), {
    hint: hint === undefined ? undefined : keysIn(hint),
    cause: error,
  });
  return UsageError.all([first, ...more.filter((other) => other instanceof UsageError).map(withKeys)]);
}

function keysIn(text: string): string {
  return text.replaceAll(/--([a-z]+(?:-[a-z]+)*)/gu, (_, flag: string) =>
    flag.replaceAll(/-(\w)/gu, (_match, letter: string) => letter.toUpperCase()),
  );
}
