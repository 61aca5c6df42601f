import { expect } from "vitest";
import { parseRunResult } from "./checked-result.js";
import type { FanoutProcess } from "./fanout-process.js";
import { activitiesReach } from "./hub-inspector.js";
import { Workplace } from "./workplace.js";

const ORCHESTRATIONS = 20;
const WIDTH = 5;
/** The share of the activities in which workers are replaced. */
const UNTIL = 0.8;

/**
 * Two workers and a run. In each round both workers are replaced in turn: the next one connects, then the last one drains.
 * Nothing may be lost. Returns the numbers of activities: those of the run, and those that the workers say they completed.
 */
export async function rollingRestart(
  rounds: number,
  iterations: number,
): Promise<{ readonly needed: number; readonly completed: number }> {
  const place = await Workplace.open();
  const needed = ORCHESTRATIONS * iterations * WIDTH;
  let workers = [await connectedWorker(place), await connectedWorker(place)];
  const load = `--parallel-orchestrations ${ORCHESTRATIONS} --iterations ${iterations} --parallel-activities ${WIDTH}`;
  const run = place.start(`run --json --allow-invalid --workers 0 ${load} --activity-duration 100ms`);
  let completed = 0;
  for (let replaced = 0; replaced < 2 * rounds; replaced += 1) {
    await activitiesReach((needed * UNTIL * (replaced + 1)) / (2 * rounds), place.socket, run);
    const [oldest, ...others] = workers;
    workers = [...others, await connectedWorker(place)];
    completed += await drained(oldest!);
    expect(run.running).toBe(true);
  }
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(parseRunResult(stdout).counts).toMatchObject({
    orchestrations: { started: ORCHESTRATIONS, completed: ORCHESTRATIONS, failed: 0, unfinished: 0 },
    activities: { needed, completed: needed },
  });
  expect(await place.runningEmulator()).toMatchObject({ redelivered: 0, workers: 2 });
  for (const worker of workers) completed += await drained(worker);
  return { needed, completed };
}

async function connectedWorker(place: Workplace): Promise<FanoutProcess> {
  const worker = place.start("worker --no-http");
  await worker.says(/Connected to the embedded emulator/u);
  return worker;
}

/** Ends a worker by SIGTERM. Returns the number of activities that it says it has completed. */
async function drained(worker: FanoutProcess): Promise<number> {
  worker.kill("SIGTERM");
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return Number(/^Drained: ([\d,]+) activit/mu.exec(stderr)?.[1]?.replaceAll(",", ""));
}
