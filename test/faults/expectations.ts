import { TERMINATION, type Script } from "./scripts.js";
import type { Orchestrator } from "./workload.js";

export interface ExpectedEnd {
  readonly status: "COMPLETED" | "TERMINATED";
  readonly output: unknown;
}

/** How an instance of the orchestrator ends that got this input. */
export function expectedEnd(orchestrator: string, input: unknown): ExpectedEnd {
  return orchestrator === "Endless"
    ? { status: "TERMINATED", output: TERMINATION }
    : { status: "COMPLETED", output: OUTPUTS[orchestrator as Exclude<Orchestrator, "Endless">](input as never) };
}

/** What an activity returns. */
export function expectedResult(activity: string, input: unknown): unknown {
  switch (activity) {
    case "Square":
      return (input as { n: number }).n ** 2;
    case "Moody":
      return (input as number) ** 2;
    default:
      return 1;
  }
}

/** Whether the end of a script leaves the instance there to be looked at. */
export function isPurged({ steps }: Script): boolean {
  return steps.some((step) => step.do === "purge");
}

/** What an instance has been started with last. */
export function lastStart(script: Script): Pick<Script, "orchestrator" | "input"> {
  return script.steps.findLast((step) => step.do === "replace") ?? script;
}

interface Numbers {
  readonly numbers: readonly number[];
}

const OUTPUTS = {
  FanOut: squares,
  Retried: squares,
  Child: squares,
  Timers: ({ delaysMs }: { delaysMs: readonly number[] }): number => delaysMs.length + 1,
  Events: ({ names }: { names: readonly string[] }): number => sumOf(names.map((_, place) => place + 1)),
  Again: ({ left, sum }: { left: number; sum: number }): number =>
    sum + sumOf(Array.from({ length: left + 1 }, (_, n) => n ** 2 + (n + 1) ** 2)),
  Collect: ({ wanted }: { wanted: number }): readonly number[] => Array.from({ length: wanted }, (_, place) => place),
  Family: ({ families }: { families: readonly (readonly number[])[] }): number =>
    2 * sumOf(families.map((numbers) => squares({ numbers }))),
  Held: ({ n }: { n: number }): number => n ** 2 + (n + 1) ** 2,
  Counted: ({ n }: { n: number }): number => n ** 2,
  Forgetful: ({ count }: { count: number }): number => count,
  Bereaved: (): string => "bereft",
  Broken: ({ depth }: { depth: number }): number => 4 * (depth + 1) + 1,
} satisfies Readonly<Record<Exclude<Orchestrator, "Endless">, (input: never) => unknown>>;

function squares({ numbers }: Numbers): number {
  return sumOf(numbers.map((n) => n ** 2));
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, n) => sum + n, 0);
}
