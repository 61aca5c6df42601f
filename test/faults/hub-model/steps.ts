import type { Random } from "../random.js";
import type { Calls } from "./calls.js";
import type { Clients } from "./clients.js";
import type { Scene } from "./scene.js";
import type { Workers } from "./workers.js";

export interface Cast {
  readonly scene: Scene;
  readonly calls: Calls;
  readonly clients: Clients;
  readonly workers: Workers;
  readonly random: Random;
}

interface Step {
  /** How often it is drawn, of a thousand. */
  readonly weight: number;
  readonly take: (cast: Cast) => void;
}

const STEPS: readonly Step[] = [
  { weight: 330, take: ({ workers }) => workers.completeAny() },
  { weight: 50, take: ({ workers }) => workers.abandonAny() },
  { weight: 20, take: ({ workers }) => workers.giveBackAny() },
  { weight: 20, take: ({ workers }) => workers.forgetAny() },
  { weight: 30, take: ({ workers }) => workers.connectAny() },
  { weight: 20, take: ({ workers }) => workers.disconnectAny() },
  { weight: 120, take: ({ clients }) => clients.start() },
  { weight: 30, take: ({ clients }) => clients.terminate() },
  { weight: 40, take: ({ clients }) => clients.suspend() },
  { weight: 40, take: ({ clients }) => clients.resume() },
  { weight: 40, take: ({ clients }) => clients.raiseEvent() },
  { weight: 50, take: ({ clients }) => clients.rewind() },
  { weight: 20, take: ({ clients }) => clients.restart() },
  { weight: 10, take: ({ clients }) => clients.endAtOnce() },
  { weight: 20, take: ({ clients }) => clients.purge() },
  { weight: 3, take: ({ clients }) => clients.deleteAll() },
  { weight: 5, take: crash },
  { weight: 152, take: () => {} },
];

/** Does one thing, and lets disk and time go on by as much as is drawn. */
export function takeStep(cast: Cast): void {
  const { scene, random } = cast;
  drawn(random).take(cast);
  if (random.next() < 0.6) {
    if (random.next() < 0.1) scene.fillDisk(random.pick(["commit", "begin"]));
    scene.flush();
  }
  while (random.next() < 0.4 && scene.isSyncing) scene.endSync();

  if (random.next() < 0.4) scene.pass(random.pick([1, 20, 100, 1_000]));
}

function drawn(random: Random): Step {
  let left = random.next() * STEPS.reduce((sum, { weight }) => sum + weight, 0);
  return STEPS.find(({ weight }) => (left -= weight) < 0)!;
}

function crash({ scene, calls, workers }: Cast): void {
  workers.lose();
  calls.forget();
  scene.crash();
  workers.connectAny();
}
