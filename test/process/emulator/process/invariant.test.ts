import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { UNBUNDLED, spawnEmulator } from "../../../support/emulator/emulator-process.js";
import { RawConnection, complete } from "../../../support/emulator/raw-connection.js";

const BREAK = new URL("../../../support/emulator/break-dispatch.ts", import.meta.url).href;

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-invariant-"));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function connect(): RawConnection {
  return new RawConnection(`unix:${path.join(folder, "emulator.sock")}`, "hub");
}

test.each([
  ["in a transaction", "complete", "Only an episode that a worker has is completed."],
  ["behind a sync", "settle", "Only an episode that was completed comes to the disk."],
  ["in a call", "giveBack", "Only an episode that a worker has is given back."],
])("an invariant that fails %s ends the emulator, and the next one goes on", async (_, step, what) => {
  const broken = await spawnEmulator(folder, {
    main: UNBUNDLED,
    env: { NODE_OPTIONS: `--import ${BREAK}`, FANOUT_TEST_STEP: step },
  });
  const before = connect();
  const worker = await before.worker();
  await before.start("instance");
  const item = await worker.item();
  const call = step === "giveBack" ? before.abandon(item) : before.completeEpisode(item, [complete(0, "end")]);
  await call.catch(() => {});
  expect(await broken.exited).toMatchObject({ code: 1 });
  expect(broken.log()).toContain(`this does not hold: ${what} It stopped. The next start goes on from the database`);
  before.close();

  const next = await spawnEmulator(folder);
  const after = connect();
  // What was not answered may have been carried out all the same.
  if ((await after.state("instance"))?.output === undefined)
    await after.completeEpisode(await (await after.worker()).item(), [complete(0, "end")]);
  expect((await after.state("instance"))?.output).toEqual({ value: '"end"' });
  after.close();
  next.child.kill("SIGTERM");
  expect(await next.exited).toMatchObject({ code: 0 });
});
