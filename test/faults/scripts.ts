import type { Random } from "./random.js";
import type { Orchestrator } from "./workload.js";

/** What a client does with one instance, step by step; each step is asked for until it is acknowledged. */
export interface Script {
  readonly instanceId: string;
  readonly orchestrator: Orchestrator;
  readonly input: unknown;
  readonly steps: readonly Step[];
}

/** `afterMs`: the pause before it. */
export type Step = { readonly afterMs: number } & (
  | { readonly do: "start" | "suspend" | "resume" | "rewind" | "terminate" | "awaitEnd" | "purge" }
  | { readonly do: "raise"; readonly event: string; readonly data: number }
  /** Makes the file that the activity `Mended` looks for. */
  | { readonly do: "mend"; readonly file: string }
);

/** What a terminated instance has as its output. */
export const TERMINATION = "enough";

/** Starts of a seed are spread over so many milliseconds. */
const SPREAD_MS = 1_200;

type Draft = Pick<Script, "orchestrator"> & { readonly input: object; readonly steps?: readonly Step[] };

/** The kinds of scripts. `folder` is where files of the seed may go. */
const KINDS: readonly ((random: Random, folder: string, place: number) => Draft)[] = [
  (random) => ({ orchestrator: "FanOut", input: { numbers: numbers(random, 12) } }),
  (random) => ({ orchestrator: "FanOut", input: { numbers: numbers(random, 60) } }),
  (random) => ({
    orchestrator: "FanOut",
    input: { numbers: numbers(random, 4) },
    steps: [pause(random, { do: "awaitEnd" }), pause(random, { do: "purge" })],
  }),
  (random) => ({
    orchestrator: "Timers",
    input: { delaysMs: Array.from({ length: random.between(1, 6) }, () => random.scaled(1, 900)) },
  }),
  (random) => ({ orchestrator: "Retried", input: { numbers: numbers(random, 5) } }),
  (random) => {
    const names = Array.from({ length: random.between(1, 5) }, (_, place) => `event-${place}`);
    return {
      orchestrator: "Events",
      input: { names },
      steps: names.map((event, place) => pause(random, { do: "raise", event, data: place + 1 })),
    };
  },
  (random) => ({ orchestrator: "Again", input: { left: random.between(2, 8), sum: 0 } }),
  (random) => {
    const wanted = random.between(2, 7);
    const items = Array.from({ length: wanted }, (_, place) => place);
    return {
      orchestrator: "Collect",
      input: { wanted, seen: [] },
      steps: items.map((data) => pause(random, { do: "raise", event: "item", data })),
    };
  },
  (random) => ({
    orchestrator: "Family",
    input: { families: Array.from({ length: random.between(1, 4) }, () => numbers(random, 6)) },
  }),
  (random) => {
    const n = random.between(1, 9);
    const raise = pause(random, { do: "raise", event: "go", data: n + 1 });
    const resume = pause(random, { do: "resume" });
    const suspend = pause(random, { do: "suspend" });
    const steps = random.next() < 0.5 ? [suspend, resume, raise] : [suspend, raise, resume];
    return { orchestrator: "Held", input: { n }, steps };
  },
  (random) => ({
    orchestrator: "Endless",
    input: { depth: random.between(0, 2) },
    steps: [pause(random, { do: "terminate" })],
  }),
  (random, folder, place) => {
    const file = `${folder}/mended-${place}`;
    return {
      orchestrator: "Broken",
      input: { file, depth: random.between(0, 2) },
      steps: [pause(random, { do: "awaitEnd" }), pause(random, { do: "mend", file }), pause(random, { do: "rewind" })],
    };
  },
];

/** One script of each kind, and some more. */
export function drawScripts(random: Random, folder: string): Script[] {
  const kinds = [...KINDS, ...Array.from({ length: 6 }, () => random.pick(KINDS))];
  return kinds.map((kind, place) => {
    const { orchestrator, input, steps = [] } = kind(random, folder, place);
    // A full disk is one that has no room for the next: a start takes some.
    const padding = "x".repeat(random.scaled(1, 8_000));
    const start: Step = { do: "start", afterMs: random.between(0, SPREAD_MS) };
    return {
      instanceId: `${place}-${orchestrator}`,
      orchestrator,
      input: { ...input, padding },
      steps: [start, ...steps],
    };
  });
}

type Unpaced<S> = S extends unknown ? Omit<S, "afterMs"> : never;

function pause(random: Random, step: Unpaced<Step>): Step {
  return { ...step, afterMs: random.scaled(1, 250) };
}

function numbers(random: Random, most: number): number[] {
  return Array.from({ length: random.between(1, most) }, () => random.between(0, 99));
}
