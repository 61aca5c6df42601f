import { Random } from "./random.js";
import { drawScripts, type Script } from "./scripts.js";
import type { Direction } from "./cutting-proxy.js";
import type { WorkerTransport } from "./worker-main.js";

/** All that a seed decides before anything runs. What then happens also depends on how fast everything is. */
export interface Plan {
  readonly seed: number;
  readonly scripts: readonly Script[];
  readonly workers: readonly WorkerTransport[];
  readonly checkpointPages: number;
  /** How slow the emulator's disk is. */
  readonly diskMs: number;
  readonly faults: readonly Fault[];
}

export type Fault = {
  /** It comes when clients have been told of this part of all that they ask for, or when nothing else happens. */
  readonly atPart: number;
} & FaultKind;

export type FaultKind =
  | { readonly kind: "killEmulator"; readonly downMs: number }
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

/** How often each kind comes, beside the others. */
const WEIGHTS: Readonly<Record<KindName, number>> = {
  killEmulator: 6,
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
const STORMY: readonly KindName[] = ["killEmulator", "killEmulator", "killWorker", "cut", "fillDisk", "limitFiles"];

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
    // The SDK's own comes second only: it waits for a second before it connects again.
    workers: [random.pick(TRANSPORTS), random.pick([...TRANSPORTS, "sdk"])],
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
