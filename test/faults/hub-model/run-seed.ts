import { Random } from "../random.js";
import { Calls } from "./calls.js";
import { Clients } from "./clients.js";
import { endFaults } from "./end-check.js";
import { lostFaults, mistakenFaults } from "./lease-check.js";
import { Orchestrators } from "./orchestrators.js";
import { outstandingFaults } from "./outstanding-check.js";
import { Scene, type Flaw } from "./scene.js";
import { takeStep, type Cast } from "./steps.js";
import { Trace } from "./trace.js";
import { Workers } from "./workers.js";

const STEPS = 150;
/** Longer than timers, scheduled starts, holds and rests, milliseconds. */
const CALM_MS = 6_000;
const MOST_ROUNDS = 400;
const ROUND_MS = 500;

export interface SeedReport {
  readonly faults: readonly string[];
  /** What happened, for whoever looks into a fault. */
  readonly told: string;
  /** How often what happened. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Draws what clients, workers, the disk and the clock do with a hub; then all of it has to come to an end. */
export async function runSeed(seed: number, flaw?: Flaw): Promise<SeedReport> {
  const trace = new Trace();
  const scene = await Scene.open(trace, flaw);
  try {
    play(scene, new Random(seed), trace);
  } catch (error) {
    trace.fault(error instanceof Error ? `${error.stack}` : String(error));
  } finally {
    scene.close();
  }
  return trace;
}

function play(scene: Scene, random: Random, trace: Trace): void {
  const calls = new Calls(trace);
  const orchestrators = new Orchestrators(random);
  const workers = new Workers(scene, calls, random, orchestrators);
  const cast = { scene, calls, random, workers, clients: new Clients(scene, calls, random) };
  const check = (faults: readonly string[]): void => {
    for (const fault of faults) trace.fault(fault);
  };
  workers.connectAny();
  for (let step = 0; step < STEPS && trace.faults.length === 0; step += 1) {
    takeStep(cast);
    check(mistakenFaults(workers.connected));
  }
  // What comes of one fault would hide it among others.
  if (trace.faults.length > 0) return;
  scene.makeRoom();
  scene.settle();
  check(lostFaults(workers.connected));
  calmDown(cast);
  check(
    outstandingFaults(
      scene,
      workers.holdings.map(({ item }) => item),
    ),
  );
  if (trace.faults.length > 0) return;
  orchestrators.areWindingUp = true;
  windUp(cast);
  check(endFaults(scene, workers));
  check(calls.unanswered.map((call) => `${call} was not answered`));
}

/** Nothing goes wrong any more: workers that take everything are sent all that there is. */
function calmDown({ scene, workers, clients }: Cast): void {
  scene.trace.note("calm down");
  for (const worker of workers.connected) workers.disconnect(worker);

  workers.connect();
  workers.connect();
  for (const { instanceId } of scene.inFlight()) clients.resume(instanceId);

  scene.settle();
  scene.pass(CALM_MS);
  scene.settle();
}

/** Every instance gets an episode, which ends it. */
function windUp({ scene, workers, clients }: Cast): void {
  scene.trace.note("wind up");
  for (const { instanceId } of scene.inFlight()) clients.raiseEvent(instanceId);

  scene.settle();
  const isOver = (): boolean =>
    workers.holdings.length === 0 && scene.hub.inFlight === 0 && scene.store.detached().length === 0;
  for (let round = 0; round < MOST_ROUNDS && !isOver(); round += 1) {
    for (const holding of workers.holdings) workers.complete(holding);

    scene.settle();
    scene.pass(ROUND_MS);
    scene.settle();
  }
}
