import { appendFileSync, existsSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import {
  RetryPolicy,
  whenAll,
  type ActivityContext,
  type OrchestrationContext,
  type Task,
} from "@microsoft/durabletask-js";

/**
 * What the workers of a seed host. Everything that these orchestrators come to follows from their input, so that a
 * history can be checked event by event; see `expectations.ts`.
 */

export interface FanOutInput {
  readonly numbers: readonly number[];
}

interface SquareInput {
  readonly n: number;
  readonly ms: number;
}

async function Square(_context: ActivityContext, input: unknown): Promise<number> {
  const { n, ms } = input as SquareInput;
  if (ms > 0) await setTimeout(ms);
  return n * n;
}

async function Moody(context: ActivityContext, input: unknown): Promise<number> {
  const n = input as number;
  if (failsMoodily(context.orchestrationId, context.taskId)) throw new Error("Not today.");
  return n * n;
}

/** Half of the tasks of `Moody` fail, and the same ones whenever they are executed. */
export function failsMoodily(instanceId: string, taskId: number): boolean {
  const text = `${instanceId}/${taskId}`;
  const sum = Buffer.from(text).reduce((hash, byte) => (Math.imul(hash, 31) + byte) | 0, 7);
  return ((sum ^ (sum >>> 7)) & 1) === 1;
}

/** Fails until the file is there. */
async function Mended(_context: ActivityContext, file: unknown): Promise<number> {
  if (!existsSync(file as string)) throw new Error("It is not mended yet.");
  return 1;
}

export interface NotedInput {
  readonly file: string;
  readonly note: string;
}

/** Writes down that it was run: the file has it, whatever becomes of the worker. */
async function Noted(_context: ActivityContext, input: unknown): Promise<number> {
  const { file, note } = input as NotedInput;
  appendFileSync(file, `${note}\n`);
  return 1;
}

type Steps<T> = AsyncGenerator<Task<unknown>, T, unknown>;

async function* FanOut(context: OrchestrationContext, { numbers }: FanOutInput): Steps<number> {
  const tasks = numbers.map((n) => context.callActivity<SquareInput, number>("Square", { n, ms: (n * 7) % 25 }));
  const squares = (yield whenAll(tasks)) as readonly number[];
  for (const [index, n] of numbers.entries())
    if (squares[index] !== n * n) throw new Error(`Expected ${n * n} at ${index}, got ${squares[index]}.`);

  return sumOf(squares);
}

async function* Timers(context: OrchestrationContext, { delaysMs }: { delaysMs: readonly number[] }): Steps<number> {
  const later = (ms: number): Task<unknown> => context.createTimer(new Date(+context.currentUtcDateTime + ms));
  yield whenAll(delaysMs.map(later));
  yield later(delaysMs[0] ?? 0);
  return delaysMs.length + 1;
}

async function* Retried(context: OrchestrationContext, { numbers }: FanOutInput): Steps<number> {
  const retry = new RetryPolicy({ maxNumberOfAttempts: 60, firstRetryIntervalInMilliseconds: 5 });
  const tasks = numbers.map((n) => context.callActivity<number, number>("Moody", n, { retry }));
  return sumOf((yield whenAll(tasks)) as readonly number[]);
}

async function* Events(context: OrchestrationContext, { names }: { names: readonly string[] }): Steps<number> {
  return sumOf((yield whenAll(names.map((name) => context.waitForExternalEvent(name)))) as readonly number[]);
}

/** A fan-out in each execution, and then the next one. */
async function* Again(context: OrchestrationContext, { left, sum }: { left: number; sum: number }): Steps<unknown> {
  const tasks = [left, left + 1].map((n) => context.callActivity<SquareInput, number>("Square", { n, ms: 3 }));
  const total = sum + sumOf((yield whenAll(tasks)) as readonly number[]);
  if (left === 0) return total;
  context.continueAsNew({ left: left - 1, sum: total }, true);
  return undefined;
}

interface CollectInput {
  readonly wanted: number;
  readonly seen: readonly number[];
}

/** One event in each execution; those that came meanwhile go along to the next. An event may come more than once. */
async function* Collect(context: OrchestrationContext, { wanted, seen }: CollectInput): Steps<unknown> {
  const item = (yield context.waitForExternalEvent("item")) as number;
  const now = [...new Set([...seen, item])].sort((a, b) => a - b);
  if (now.length === wanted) return now;
  context.continueAsNew({ wanted, seen: now }, true);
  return undefined;
}

/** Children that tell their sum as an event before they return it. */
async function* Family(context: OrchestrationContext, { families }: { families: readonly number[][] }): Steps<number> {
  const sums = families.map((numbers, place) =>
    context.callSubOrchestrator<unknown, number>(
      "Child",
      { numbers, parent: context.instanceId, event: `child-${place}` },
      place % 2 === 0 ? undefined : { instanceId: `${context.instanceId}-child-${place}` },
    ),
  );
  const told = families.map((_, place) => context.waitForExternalEvent(`child-${place}`));
  return sumOf((yield whenAll([...sums, ...told])) as readonly number[]);
}

interface ChildInput extends FanOutInput {
  readonly parent: string;
  readonly event: string;
}

async function* Child(context: OrchestrationContext, { numbers, parent, event }: ChildInput): Steps<number> {
  const tasks = numbers.map((n) => context.callActivity<SquareInput, number>("Square", { n, ms: n % 10 }));
  const sum = sumOf((yield whenAll(tasks)) as readonly number[]);
  context.sendEvent(parent, event, sum);
  return sum;
}

async function* Held(context: OrchestrationContext, { n }: { n: number }): Steps<number> {
  const first = (yield context.callActivity<SquareInput, number>("Square", { n, ms: 5 })) as number;
  const more = (yield context.waitForExternalEvent("go")) as number;
  const second = (yield context.callActivity<SquareInput, number>("Square", { n: more, ms: 5 })) as number;
  return first + second;
}

async function* Endless(context: OrchestrationContext, { depth }: { depth: number }): Steps<unknown> {
  if (depth > 0) {
    const instanceId = `${context.instanceId}-${depth}`;
    return yield context.callSubOrchestrator("Endless", { depth: depth - 1 }, { instanceId });
  }
  return yield context.waitForExternalEvent("never");
}

async function* Broken(context: OrchestrationContext, input: { file: string; depth: number }): Steps<number> {
  const before = (yield context.callActivity<SquareInput, number>("Square", { n: 2, ms: 0 })) as number;
  const { file, depth } = input;
  const task: Task<number> =
    depth === 0
      ? context.callActivity("Mended", file)
      : context.callSubOrchestrator("Broken", { file, depth: depth - 1 }, { instanceId: `${context.instanceId}-c` });
  return before + ((yield task) as number);
}

/** Writes down which execution it is, as a history tells when it began. */
async function* Counted(context: OrchestrationContext, { file, n }: { file: string; n: number }): Steps<number> {
  yield context.callActivity("Noted", { file, note: context.currentUtcDateTime.toISOString() });
  return (yield context.callActivity<SquareInput, number>("Square", { n, ms: 10 })) as number;
}

export interface ForgetfulInput {
  readonly file: string;
  readonly count: number;
  readonly left: number;
  /** Whether its last execution ends with the episode that asks for the activities. */
  readonly hurried: boolean;
}

/** Asks for activities and does not wait for them. */
async function* Forgetful(context: OrchestrationContext, input: ForgetfulInput): Steps<unknown> {
  const { file, count, left, hurried } = input;
  for (let place = 0; place < count; place += 1)
    void context.callActivity("Noted", { file, note: forgottenNote(left, place) });

  if (left > 0 || !hurried) yield context.callActivity<SquareInput, number>("Square", { n: left, ms: 4 });
  if (left === 0) return count;
  context.continueAsNew({ ...input, left: left - 1 }, true);
  return undefined;
}

export function forgottenNote(left: number, place: number): string {
  return `${left}-${place}`;
}

/** Has a child that is ended from outside. */
async function* Bereaved(context: OrchestrationContext, { child }: { child: string }): Steps<string> {
  try {
    yield context.callSubOrchestrator("Endless", { depth: 0 }, { instanceId: child });
    return "The child has come to an end of its own.";
  } catch {
    return "bereft";
  }
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}

export const faultWorkload = {
  orchestrators: {
    FanOut,
    Timers,
    Retried,
    Events,
    Again,
    Collect,
    Family,
    Child,
    Held,
    Endless,
    Broken,
    Counted,
    Forgetful,
    Bereaved,
  },
  activities: { Square, Moody, Mended, Noted },
};

export type Orchestrator = keyof typeof faultWorkload.orchestrators;
