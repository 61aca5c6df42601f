import { Random } from "./random.js";
import { drawScripts, type Script } from "./scripts.js";
import type { Direction } from "./cutting-proxy.js";
import type { Moment } from "./commit-trap.js";
import type { WorkerTransport } from "./worker-main.js";

/** All that a seed decides before anything runs. What then happens also depends on how fast everything is. */
export interface Plan {
  readonly seed: number;
  readonly scripts: readonly Script[];
  readonly workers: readonly WorkerTransport[];
  /** What the filtered ones of them take. */
  readonly choice: Choice;
  readonly checkpointPages: number;
  /** How slow the emulator's disk is. */
  readonly diskMs: number;
  readonly faults: readonly Fault[];
}

export interface Choice {
  /** Work items at a time. */
  readonly limits: { readonly episodes: number; readonly activities: number };
  /** Each third name, from this one on, is not theirs; from the fourth on: all are. */
  readonly skips: number;
}

export type Fault = {
  /** It comes when clients have been told of this part of all that they ask for, or when nothing else happens. */
  readonly atPart: number;
} & FaultKind;

export type FaultKind =
  | { readonly kind: "killEmulator"; readonly downMs: number }
  /** Behind a commit, in front of all that comes of it: the `nth` from then on that has such a thing in it. */
  | { readonly kind: "killAtCommit"; readonly of: Moment; readonly nth: number }
  /** That commit is refused, as by a disk that is full. */
  | { readonly kind: "refuseCommit"; readonly of: Moment; readonly nth: number }
  /** Its database is locked by another process when it starts again. */
  | { readonly kind: "lockDatabase" }
  | { readonly kind: "stopEmulator"; readonly forMs: number }
  | { readonly kind: "killWorker"; readonly worker: number }
  /** Longer than a worker may be silent. */
  | { readonly kind: "stopWorker"; readonly worker: number; readonly forMs: number }
  | { readonly kind: "killClient" }
  | { readonly kind: "cut"; readonly whose: "client" | "worker"; readonly direction: Direction; readonly bytes: number }
  /** The database file cannot grow. */
  | { readonly kind: "fillDisk"; readonly forMs: number }
  /** No file may be larger than this part of what the log is by then. */
  | { readonly kind: "limitFiles"; readonly part: number; readonly forMs: number }
  | { readonly kind: "moveClock"; readonly bySeconds: number; readonly thenRestart: boolean };

export type KindName = FaultKind["kind"];

/** How each kind of fault is drawn. `silenceMs` is how long a worker may be silent. */
const DRAW: { readonly [K in KindName]: (random: Random, silenceMs: number) => Extract<FaultKind, { kind: K }> } = {
  killEmulator: (random) => ({ kind: "killEmulator", downMs: random.pick([0, 0, 30, 150]) }),
  killAtCommit: (random) => ({ kind: "killAtCommit", ...drawMoment(random) }),
  refuseCommit: (random) => ({ kind: "refuseCommit", ...drawMoment(random) }),
  lockDatabase: () => ({ kind: "lockDatabase" }),
  stopEmulator: (random) => ({ kind: "stopEmulator", forMs: random.scaled(50, 600) }),
  killWorker: (random) => ({ kind: "killWorker", worker: random.between(0, 1) }),
  stopWorker: (random, silenceMs) => ({
    kind: "stopWorker",
    worker: random.between(0, 1),
    forMs: random.between(silenceMs + 200, silenceMs + 500),
  }),
  killClient: () => ({ kind: "killClient" }),
  cut: (random) => ({
    kind: "cut",
    whose: random.pick(["client", "worker"]),
    direction: random.pick(["up", "down"]),
    bytes: random.scaled(1, 20_000),
  }),
  fillDisk: (random) => ({ kind: "fillDisk", forMs: random.scaled(50, 500) }),
  limitFiles: (random) => ({ kind: "limitFiles", part: random.next(), forMs: random.scaled(50, 500) }),
  moveClock: (random) => ({
    kind: "moveClock",
    bySeconds: random.pick([3_600, 60, 1, -1, -60, -3_600]),
    thenRestart: random.next() < 0.5,
  }),
};

/** Most of what one commit does to several instances is with the end of one. */
const MOMENTS: readonly Moment[] = [
  ...(["childEnd", "childEnd", "childEnd", "termination", "termination", "termination", "end"] as const),
  ...(["start", "event", "episode", "again", "rewind"] as const),
];

function drawMoment(random: Random): { readonly of: Moment; readonly nth: number } {
  return { of: random.pick(MOMENTS), nth: random.between(1, 3) };
}

/** How often each kind comes, beside the others. */
const WEIGHTS: Readonly<Record<KindName, number>> = {
  killEmulator: 2,
  killAtCommit: 8,
  refuseCommit: 3,
  lockDatabase: 1,
  stopEmulator: 2,
  killWorker: 3,
  stopWorker: 2,
  killClient: 3,
  cut: 6,
  fillDisk: 2,
  limitFiles: 2,
  moveClock: 1,
};

export const FAULT_KINDS = Object.keys(WEIGHTS) as KindName[];

/** The part of the seeds that have one kind of fault alone, and what that may be. */
const STORMS = 0.2;
const STORMY: readonly KindName[] = [
  "killEmulator",
  "killAtCommit",
  "killAtCommit",
  "refuseCommit",
  "killWorker",
  "cut",
  "fillDisk",
  "limitFiles",
];

const TRANSPORTS: readonly WorkerTransport[] = ["link", "link", "http2", "grpc-js"];

export interface PlanOptions {
  /** For files of the seed. */
  readonly folder: string;
  readonly silenceMs: number;
}

export function planOf(seed: number, { folder, silenceMs }: PlanOptions): Plan {
  const random = new Random(seed);
  const scripts = drawScripts(random, folder);
  const faults = drawKinds(random).map((kind): Fault => {
    const fault = DRAW[kind](random, silenceMs);
    return { ...fault, atPart: random.next() };
  });
  return {
    seed,
    scripts,
    // The SDK's own comes second only: it waits for a second before it connects again. So do the filtered ones, which do not
    // take everything.
    workers: [random.pick(TRANSPORTS), random.pick([...TRANSPORTS, "sdk", "filtered", "filtered"])],
    choice: {
      limits: { episodes: random.between(1, 3), activities: random.between(1, 3) },
      skips: random.between(0, 3),
    },
    checkpointPages: random.scaled(10, 4_000),
    diskMs: random.pick([0, 0, random.scaled(1, 12)]),
    faults: faults.sort((a, b) => a.atPart - b.atPart),
  };
}

/** A few of all kinds, or many of one: a kill has to come at the right moment. */
function drawKinds(random: Random): readonly KindName[] {
  if (random.next() < STORMS) {
    const kind = random.pick(STORMY);
    return Array.from({ length: 10 }, () => kind);
  }
  const urn = FAULT_KINDS.flatMap((kind) => Array.from({ length: WEIGHTS[kind] }, () => kind));
  return Array.from({ length: random.between(4, 7) }, () => random.pick(urn));
}
