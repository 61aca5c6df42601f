import { copyFile, open, rename, rm, truncate } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawConnection } from "../support/emulator/raw-connection.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { Workplace } from "../support/e2e/workplace.js";

/** What is acknowledged behind a removal goes unseen for no longer than milliseconds, but on a busy machine. */
const PATIENCE_MS = 30_000;
const PAGE_BYTES = 4_096;

async function startEmulator(place: Workplace): Promise<FanoutProcess> {
  const emulator = place.start("emulator");
  await emulator.says(/Ctrl-C stops\./u);
  return emulator;
}

function connect(place: Workplace): RawConnection {
  const connection = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => connection.close());
  return connection;
}

const databaseOf = (place: Workplace): string => join(place.stateFolder, "emulator.db");

/** Starts instances until one is refused. */
async function refusal(connection: RawConnection): Promise<unknown> {
  const endMs = performance.now() + PATIENCE_MS;
  for (let number = 0; performance.now() < endMs; number += 1) {
    try {
      await connection.start(`instance-${number}`);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

describe("an emulator that lost its files refuses calls and ends:", () => {
  test.each<[string, (place: Workplace) => Promise<void>]>([
    ["the database was removed", (place) => rm(databaseOf(place))],
    ["the log was removed", (place) => rm(`${databaseOf(place)}-wal`)],
    ["the folder was moved", (place) => rename(place.stateFolder, `${place.stateFolder}-moved`)],
    [
      "the database was replaced",
      async (place) => {
        await copyFile(databaseOf(place), `${databaseOf(place)}-copy`);
        await rename(`${databaseOf(place)}-copy`, databaseOf(place));
      },
    ],
  ])("%s", async (_, remove) => {
    const place = await Workplace.open();
    const emulator = await startEmulator(place);
    const connection = connect(place);
    await connection.start("before");
    await remove(place);
    expect(await refusal(connection)).toMatchObject({
      code: status.DATA_LOSS,
      details: expect.stringMatching(/^The database file '.*' was removed or replaced/u),
    });
    expect(await emulator.ended).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^error: The database file '.*emulator\.db.*The emulator stopped\.$/mu),
    });
  });

  test("while it is idle, and the socket of its successor stays", async () => {
    const place = await Workplace.open();
    const emulator = await startEmulator(place);
    await rm(place.stateFolder, { recursive: true });
    const next = await startEmulator(place);
    expect(await emulator.ended).toMatchObject({ code: 1 });
    expect(await place.runningEmulator()).toMatchObject({ pid: next.pid });
  });
});

test("a run and the status report a store beyond 1 GB, with the command that shrinks it", async () => {
  const place = await Workplace.open();
  const run = "run --iterations 1 --parallel-activities 1 --workers 1 --allow-invalid";
  const { stderr } = await place.succeed(run);
  expect(stderr).not.toContain("store takes");
  await place.succeed("emulator stop");
  // What is behind the last page is not looked at, and takes no room on the disk.
  await truncate(databaseOf(place), 1_300_000_000);
  const note =
    /^the emulator's store takes 1\.30? GB in .*state: `fanout purge --older-than 1h` .*`fanout emulator reset`/mu;
  expect((await place.succeed(run)).stderr).toMatch(note);
  expect((await place.succeed("emulator status")).stdout).toMatch(note);
});

/** The places of the pages that hold histories. */
function historyPages(file: string): readonly number[] {
  const database = new DatabaseSync(file);
  const sql = "SELECT pageno FROM dbstat WHERE name = 'history' AND pagetype = 'leaf'";
  const pages = database.prepare(sql).all();
  database.close();
  return pages.map((row) => (Number(row["pageno"]) - 1) * PAGE_BYTES);
}

async function damage(file: string, places: readonly number[]): Promise<void> {
  const handle = await open(file, "r+");
  for (const place of places) await handle.write(Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, place);
  await handle.close();
}

const DAMAGE =
  /The database '.*emulator\.db' is damaged.*: .*Nothing was changed\. `fanout emulator reset` deletes it/u;

test("a damaged page ends the emulator with a next step, both on reading and on opening", async () => {
  const place = await Workplace.open();
  const file = databaseOf(place);
  const run = "run --workers 1 --run-id rdamage --parallel-orchestrations 200 --iterations 1 --allow-invalid";
  await place.succeed(run);
  await place.succeed("emulator stop");
  const whole = join(place.root, "whole.db");
  await copyFile(file, whole);
  const pages = historyPages(file);
  expect(pages.length).toBeGreaterThan(5);

  // It was closed: what is damaged is met by who reads it.
  await damage(file, pages);
  const reading = await startEmulator(place);
  await expect(connect(place).history("rdamage-00000-000")).rejects.toMatchObject({
    code: status.DATA_LOSS,
    details: expect.stringMatching(DAMAGE),
  });
  expect(await reading.ended).toMatchObject({ code: 1, stderr: expect.stringMatching(DAMAGE) });

  // It was not: all of it is looked at when it is opened.
  await rm(`${file}-wal`, { force: true });
  await copyFile(whole, file);
  const killed = await startEmulator(place);
  await connect(place).start("written");
  killed.kill("SIGKILL");
  await killed.ended;
  await damage(file, pages);
  const refused = { code: 1, stderr: expect.stringMatching(DAMAGE) as string };
  expect(await place.start("emulator").ended).toMatchObject(refused);
  expect(await place.run("run")).toMatchObject(refused);

  await place.succeed("emulator reset --yes");
  await place.succeed("run --workers 1 --iterations 1 --allow-invalid");
});
