import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { integrityOf } from "../support/e2e/database-integrity.js";
import { HubInspector, activitiesIn, activitiesReach } from "../support/e2e/hub-inspector.js";
import { workersOf } from "../support/e2e/process-table.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const ORCHESTRATIONS = 200;
const ITERATIONS = 40;
const WIDTH = 20;
const NEEDED = ORCHESTRATIONS * ITERATIONS * WIDTH;
/** Of workers about half: a run gives up on workers that die more often than thirty times a minute. */
const KILLS = 60;

/** Say FANOUT_KILL_SEED=N to have the kills of an earlier run again, as far as other processes' timing allows. */
const seed = Number(process.env["FANOUT_KILL_SEED"] ?? randomInt(2 ** 32));

test(`nothing is lost to ${KILLS} kills at random moments (seed ${seed})`, async () => {
  const place = await Workplace.open();
  console.log(`FANOUT_KILL_SEED=${seed}`);
  const random = randomFrom(seed);
  const run = place.start(
    `run --json --workers 2 --parallel-orchestrations ${ORCHESTRATIONS} --iterations ${ITERATIONS} --parallel-activities ${WIDTH}`,
  );
  await run.says(/started 2 worker processes/u);
  const moments = Array.from({ length: KILLS }, () => Math.floor(random() * NEEDED * 0.95)).sort((a, b) => a - b);
  const killed = { emulators: 0, workers: 0 };
  for (const moment of moments) {
    await activitiesReach(moment, place.socket, run);
    const emulator = await place.emulatorStatus();
    // Last, for a worker that was killed a moment ago may be gone a moment later.
    const workers = workersOf(run.pid);
    const worker = workers[Math.floor(random() * workers.length)];
    // Either may be about to start again: then it is the other's turn.
    if (worker !== undefined && (random() < 0.5 || !emulator.running)) {
      process.kill(worker, "SIGKILL");
      killed.workers += 1;
    } else if (emulator.running) {
      process.kill(emulator.pid, "SIGKILL");
      killed.emulators += 1;
    }
  }
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(killed.emulators).toBeGreaterThan(5);
  expect(killed.workers).toBeGreaterThan(5);
  expect(parseRunResult(stdout).counts).toMatchObject({
    orchestrations: { started: ORCHESTRATIONS, completed: ORCHESTRATIONS, failed: 0, unfinished: 0 },
    activities: { needed: NEEDED, completed: NEEDED },
  });
  const inspector = new HubInspector(place.socket);
  const instances = await inspector.instances("");
  expect(instances).toHaveLength(ORCHESTRATIONS);
  for (const { instanceId } of instances) {
    const { scheduled, completed } = activitiesIn(await inspector.history(instanceId));
    expect({ instanceId, scheduled: new Set(scheduled).size }).toEqual({ instanceId, scheduled: ITERATIONS * WIDTH });
    expect({ instanceId, completed }).toEqual({ instanceId, completed: scheduled });
  }
  await inspector.close();
  await place.succeed("emulator stop");
  expect(integrityOf(place.stateFolder)).toEqual(["ok"]);
});

/** Numbers in [0, 1), the same for the same seed: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
