import { stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { AdminConnection } from "../../src/backend/admin-connection.js";
import { EmulatorDoor } from "../../src/backend/emulator-door.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const LOOPBACK = { FANOUT_EMULATOR_TRANSPORT: "tcp" };

/** As on Windows, where Node has no Unix sockets. */
function doorOf(place: Workplace): EmulatorDoor {
  return new EmulatorDoor({ socket: place.socket, loopback: join(place.stateFolder, "emulator.loopback") });
}

async function pidBehind(door: EmulatorDoor): Promise<number> {
  const admin = new AdminConnection(door);
  try {
    return (await admin.status())?.pid ?? 0;
  } finally {
    admin.close();
  }
}

test.each(["link", "http2", "grpc-js"])(
  "over loopback by %s, a run with its own workers and generators survives the emulator's death",
  async (transport) => {
    const place = await Workplace.open();
    // Twice as long as a run takes to its first line of progress, so that the line comes before the end on any machine.
    const load = "--parallel-orchestrations 40 --iterations 10 --parallel-activities 2 --activity-duration 400ms";
    const run = place.startWith(
      { ...place.env, ...LOOPBACK },
      `run --json --allow-invalid --workers 2 --generators 2 --transport ${transport} ${load}`,
    );
    await run.says(/of 800 activities/u);
    const door = doorOf(place);
    expect(door.address).toMatch(/^127\.0\.0\.1:\d+$/u);
    expect((await stat(join(place.stateFolder, "emulator.loopback"))).mode & 0o777).toBe(0o600);
    const pid = await pidBehind(door);
    process.kill(pid, "SIGKILL");
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(parseRunResult(stdout).counts).toMatchObject({
      orchestrations: { completed: 40, failed: 0 },
      activities: { completed: 800 },
    });
    const next = doorOf(place);
    expect(await pidBehind(next)).not.toBe(pid);
    expect(next.token).not.toBe(door.token);
  },
);

test("over loopback a worker, a status and a stop find the emulator, and the file goes with it", async () => {
  const place = await Workplace.open();
  const env = { ...place.env, ...LOOPBACK };
  const worker = place.startWith(env, "worker --no-http");
  await worker.says(/Connected to the embedded emulator/u);
  const run = await place.startWith(env, "run --workers 0").ended;
  expect({ code: run.code, stderr: run.stderr }).toMatchObject({ code: 0 });
  const status = await place.startWith(env, "emulator status --json").ended;
  const door = doorOf(place);
  expect(JSON.parse(status.stdout)).toMatchObject({ running: true, endpoints: [`owner:${door.address}`], workers: 1 });
  expect(status.stdout).not.toContain(door.token);
  worker.kill("SIGTERM");
  expect(await worker.ended).toMatchObject({ code: 0 });
  const stop = await place.startWith(env, "emulator stop").ended;
  expect(stop).toMatchObject({ code: 0, stdout: expect.stringContaining("stopped") });
  await expect(stat(join(place.stateFolder, "emulator.loopback"))).rejects.toMatchObject({ code: "ENOENT" });
});
