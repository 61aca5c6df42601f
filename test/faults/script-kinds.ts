import type { Random } from "./random.js";
import type { Script, Step } from "./scripts.js";

export type Unpaced<S = Step> = S extends unknown ? Omit<S, "afterMs"> : never;

/** What a kind of script says of one. */
export interface Draft extends Pick<Script, "orchestrator"> {
  readonly input: object;
  readonly start?: { readonly aheadMs?: number; readonly afterMs?: number };
  /** Those behind its start. */
  readonly steps?: readonly Unpaced[];
}

export interface Whose {
  readonly instanceId: string;
  /** One that it may make. */
  readonly file: string;
}

/** The kinds of scripts that a hub has which nobody empties. */
export const KINDS: readonly ((random: Random, whose: Whose) => Draft)[] = [
  (random) => ({ orchestrator: "FanOut", input: { numbers: numbers(random, 12) } }),
  (random) => ({ orchestrator: "FanOut", input: { numbers: numbers(random, 60) }, steps: [{ do: "watchHistory" }] }),
  (random) => ({
    orchestrator: "FanOut",
    input: { numbers: numbers(random, 4) },
    steps: [{ do: "awaitEnd" }, { do: "purge" }],
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
      steps: names.map((event, place) => ({ do: "raise", event, data: place + 1 })),
    };
  },
  (random) => ({ orchestrator: "Again", input: { left: random.between(2, 8), sum: 0 } }),
  (random) => {
    const wanted = random.between(2, 7);
    const items = Array.from({ length: wanted }, (_, place) => place);
    return {
      orchestrator: "Collect",
      input: { wanted, seen: [] },
      steps: items.map((data) => ({ do: "raise", event: "item", data })),
    };
  },
  family,
  (random) => {
    const n = random.between(1, 9);
    const raise = { do: "raise", event: "go", data: n + 1 } as const;
    const steps = [raise, { do: "resume" } as const];
    return { orchestrator: "Held", input: { n }, steps: [{ do: "suspend" }, ...shuffled(random, steps)] };
  },
  (random) => ({ orchestrator: "Endless", input: { depth: random.between(1, 2) }, steps: [{ do: "terminate" }] }),
  (random, { file }) => ({
    orchestrator: "Broken",
    input: { file, depth: random.between(0, 2) },
    steps: [{ do: "awaitEnd" }, { do: "mend", file }, { do: "rewind" }],
  }),
  (random) => ({
    orchestrator: "FanOut",
    input: { numbers: numbers(random, 6) },
    start: { aheadMs: random.between(150, 800) },
  }),
  (random, { file }) => ({
    orchestrator: "Counted",
    input: { file, n: random.between(1, 9) },
    steps: [{ do: "awaitEnd" }, { do: "restart", withNewId: false }, { do: "awaitEnd" }],
  }),
  (random) => ({
    orchestrator: "FanOut",
    input: { numbers: numbers(random, 6) },
    // Of one that still runs there may be another as well.
    steps: [...(random.next() < 0.5 ? [{ do: "awaitEnd" } as const] : []), { do: "restart", withNewId: true }],
  }),
  (random, { file }) => {
    const before = random.pick([
      { orchestrator: "Held", input: { n: 1 } },
      { orchestrator: "FanOut", input: { numbers: numbers(random, 40) } },
      { orchestrator: "Endless", input: { depth: 0 } },
    ] as const);
    const after = random.pick([
      { orchestrator: "Counted", input: { file, n: random.between(1, 9) } },
      { orchestrator: "FanOut", input: { numbers: numbers(random, 20) } },
    ] as const);
    return { ...before, steps: [{ do: "replace", ...after }] };
  },
  (random, { file }) => ({
    orchestrator: "Forgetful",
    input: { file, count: random.between(1, 12), left: random.pick([0, 0, 3]), hurried: random.next() < 0.5 },
  }),
  (_random, { instanceId }) => ({
    orchestrator: "Endless",
    input: { depth: 0 },
    steps: [{ do: "endAtOnce", instanceId }],
  }),
  (_random, { instanceId }) => {
    const child = `${instanceId}-c`;
    return {
      orchestrator: "Bereaved",
      input: { child },
      steps: [
        { do: "awaitStart", instanceId: child },
        { do: "endAtOnce", instanceId: child },
      ],
    };
  },
];

/** Of the hub that is emptied: the same id is started before and after. */
export function recreation(random: Random): Draft {
  const { orchestrator, input } = family(random);
  return {
    orchestrator,
    input,
    start: { afterMs: random.between(0, 400) },
    steps: [{ do: "recreate" }, { do: "start" }],
  };
}

/** Of the hub that is emptied: it is started before or after, or just then. */
export function bystander(random: Random): Draft {
  const start = { afterMs: random.between(0, 800) };
  return random.next() < 0.5
    ? { orchestrator: "FanOut", input: { numbers: numbers(random, 30) }, start }
    : { orchestrator: "Timers", input: { delaysMs: [random.scaled(1, 500)] }, start };
}

export function pause(random: Random, step: Unpaced): Step {
  return { ...step, afterMs: random.scaled(1, 250) };
}

function family(random: Random): Draft {
  const families = Array.from({ length: random.between(1, 4) }, () => numbers(random, 6));
  return { orchestrator: "Family", input: { families } };
}

function shuffled<T>(random: Random, pair: readonly T[]): readonly T[] {
  return random.next() < 0.5 ? pair : pair.toReversed();
}

function numbers(random: Random, most: number): number[] {
  return Array.from({ length: random.between(1, most) }, () => random.between(0, 99));
}
