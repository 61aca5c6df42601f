import { readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import type { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection, stringValue } from "../support/emulator/raw-connection.js";
import { Workplace } from "../support/e2e/workplace.js";

const IN_FLIGHT = 200_000;
const AT_ONCE = 1_000;
const MOST_WORKER_MIB = 1_024;
/**
 * 965 to 1,062 MiB in six runs on two cores, with a heap of 236 MB after a collection. V8 lets it grow to more than twice of
 * that before the next one, and the rest is buffers and SQLite.
 */
const MOST_EMULATOR_MIB = 1_280;
/** With 200,000 instances it is a collection of V8, 165 to 374 ms on two cores; with 10,000 it is 112 ms (`bench/storm.ts`). */
const LONGEST_TURN_MS = 500;
const LOOKS = 6;
const LOOK_MS = 10_000;
const LARGE = JSON.stringify({ iterations: 10, parallelActivities: 2_000 });
const SMALL = JSON.stringify({ iterations: 1, parallelActivities: 1 });

function rssMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_024;
}

async function startMany(connection: RawConnection, count: number): Promise<void> {
  for (let first = 0; first < count; first += AT_ONCE)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => start(connection, `large-${first + n}`, LARGE)));
}

async function start(connection: RawConnection, instanceId: string, input: string): Promise<void> {
  await connection.start(
    instanceId,
    "FanOutFanInOrchestration",
    (request: InstanceType<typeof pb.CreateInstanceRequest>) => {
      request.setInput(stringValue(input));
    },
  );
}

test("a worker makes steady progress on 200,000 large orchestrations, and its memory and the emulator's stay bounded", async () => {
  const place = await Workplace.open();
  const emulator = place.start("emulator");
  await emulator.says(/Ctrl-C stops\./u);
  const connection = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => connection.close());
  await startMany(connection, IN_FLIGHT);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: IN_FLIGHT });
  expect(rssMib(emulator.pid)).toBeLessThan(MOST_EMULATOR_MIB);
  const worker = place.start("worker --port 0");
  await worker.says(/^Connected/mu);
  const rates: number[] = [];
  let before = 0;
  for (let look = 0; look < LOOKS; look += 1) {
    await setTimeout(LOOK_MS);
    const { activitiesCompleted } = await place.runningEmulator();
    rates.push(activitiesCompleted - before);
    before = activitiesCompleted;
    expect(rssMib(emulator.pid)).toBeLessThan(MOST_EMULATOR_MIB);
    expect(rssMib(worker.pid)).toBeLessThan(MOST_WORKER_MIB);
    if (look === 1) await start(connection, "small", SMALL);
  }
  // The first of them has the beginning of the worker in it.
  const [, ...steady] = rates;
  expect(Math.min(...steady), `activities in each 10 s: ${rates.join(", ")}`).toBeGreaterThan(Math.max(...steady) / 4);
  expect((await connection.state("small"))?.output?.value).toContain("totalActivities");
  const status = await place.runningEmulator();
  expect(status).toMatchObject({ redelivered: 0, inFlight: expect.any(Number) as number });
  expect(status.longestTurnMs).toBeLessThan(LONGEST_TURN_MS);
  console.log(`activities in each 10 s: ${rates.join(", ")}; longest turn ${status.longestTurnMs} ms`);
  worker.kill("SIGTERM");
  expect(await worker.ended).toMatchObject({ code: 0 });
  expect((await place.runningEmulator()).backlog.activities.waiting).toBeGreaterThan(0);
  emulator.kill("SIGTERM");
  expect(await emulator.ended).toMatchObject({ code: 0 });
});
