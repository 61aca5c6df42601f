import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, rmdir, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawConnection, stringValue } from "../support/emulator/raw-connection.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { activitiesReach } from "../support/e2e/hub-inspector.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const KB = 1024;
const MB = 1024 * KB;

function succeeds(program: string, ...args: readonly string[]): boolean {
  return spawnSync(program, args).status === 0;
}

/** Whether this user may mount a file system of its own. */
const canMount = await (async () => {
  if (process.platform !== "linux" || process.getuid?.() !== 0) return false;
  const folder = await mkdtemp(join(tmpdir(), "fanout-mount-"));
  const mounted = succeeds("mount", "-t", "tmpfs", "-o", "size=1m", "fanout-test", folder);
  if (mounted) succeeds("umount", folder);
  await rmdir(folder);
  return mounted;
})();

/** A process of its own: one that holds a lock loses it by reading the file in another way. */
const HOLDER = `
  const { DatabaseSync } = require("node:sqlite");
  const database = new DatabaseSync(process.argv[1]);
  database.exec("BEGIN EXCLUSIVE");
  console.log("held");
  setInterval(() => {}, 1_000);
`;

async function placeWithState(): Promise<Workplace> {
  const place = await Workplace.open();
  await mkdir(place.stateFolder, { mode: 0o700 });
  return place;
}

/** A place whose state folder is a file system of 4 MB. */
async function placeOnSmallDisk(): Promise<Workplace> {
  const place = await placeWithState();
  if (!succeeds("mount", "-t", "tmpfs", "-o", "size=4m,mode=700", "fanout-test", place.stateFolder))
    throw new Error("Expected a file system to be mounted");

  // Whoever still has it open may finish with it.
  onTestFinished(() => void succeeds("umount", "--lazy", place.stateFolder));
  return place;
}

async function startEmulator(place: Workplace): Promise<FanoutProcess> {
  const emulator = place.start("emulator");
  await emulator.says(/Ctrl-C stops\./u);
  return emulator;
}

async function stopEmulator(emulator: FanoutProcess): Promise<void> {
  emulator.kill("SIGTERM");
  expect(await emulator.ended).toMatchObject({ code: 0 });
}

function connect(place: Workplace): RawConnection {
  const connection = new RawConnection(`unix:${place.socket}`, "default");
  onTestFinished(() => connection.close());
  return connection;
}

const databaseOf = (place: Workplace): string => join(place.stateFolder, "emulator.db");
const sumOf = (file: string): string => createHash("sha256").update(readFileSync(file)).digest("hex");

/** How the emulator ends in the foreground and in the background, and whether the database has outlived it unchanged. */
async function starts(place: Workplace): Promise<readonly object[]> {
  const before = sumOf(databaseOf(place));
  const ends: object[] = [];
  // The first holds the lock to the end of its process.
  for (const end of [() => place.start("emulator").ended, () => place.run("run")]) {
    const { code, stdout, stderr } = await end();
    ends.push({ code, stdout, stderr, unchanged: sumOf(databaseOf(place)) === before });
  }
  return ends;
}

/** Both end with one line, which says what is to be done; what is whole is not to be deleted. */
function refusals(
  place: Workplace,
  says: RegExp,
  { reset, code = 1 }: { readonly reset: boolean; readonly code?: number },
): readonly object[] {
  const line = [
    "^error: (?!internal error)",
    `(?=.*${says.source})`,
    `(?=.*'${place.stateFolder})`,
    `(?${reset ? "=" : "!"}.*emulator reset)`,
    ".+\\n$",
  ];
  const refusal = {
    code,
    stdout: "",
    stderr: expect.stringMatching(new RegExp(line.join(""), "u")),
    unchanged: true,
  };
  return [refusal, refusal];
}

describe("an unusable database ends the emulator with one line, and is not changed:", () => {
  test("a file that is no database", async () => {
    const place = await placeWithState();
    await writeFile(databaseOf(place), "This is not a database. ".repeat(1_000));
    expect(await starts(place)).toEqual(refusals(place, /not a database/u, { reset: true }));
    await place.succeed("emulator reset --yes");
    await place.succeed("run --iterations 1 --workers 1");
  });

  test("a database with a damaged page", async () => {
    const place = await placeWithState();
    const emulator = await startEmulator(place);
    await connect(place).start("instance");
    await stopEmulator(emulator);
    const bytes = await readFile(databaseOf(place));
    await writeFile(databaseOf(place), bytes.fill(0xa5, 4_096));
    expect(await starts(place)).toEqual(refusals(place, /malformed/u, { reset: true }));
  });

  test("a database of a newer version", async () => {
    const place = await placeWithState();
    await stopEmulator(await startEmulator(place));
    const database = new DatabaseSync(databaseOf(place));
    database.exec("PRAGMA user_version = 99");
    database.close();
    expect(await starts(place)).toEqual(refusals(place, /it has schema 99.*Update fanout/u, { reset: true }));
  });

  test("a database that another program has open", async () => {
    const place = await placeWithState();
    await stopEmulator(await startEmulator(place));
    const holder = place.startProgram(process.execPath, ["-e", HOLDER, databaseOf(place)]);
    await holder.says(/held/u);
    expect(await starts(place)).toEqual(refusals(place, /locked.*Another program has it open/u, { reset: false }));
  });

  test.skipIf(process.getuid?.() === 0)("one that can only be read", async () => {
    const place = await placeWithState();
    await writeFile(databaseOf(place), "", { mode: 0o400 });
    expect(await starts(place)).toEqual(
      refusals(place, /cannot write to .*emulator\.db': EACCES/u, { reset: false, code: 2 }),
    );
  });

  test.skipIf(!canMount)("a database on a read-only disk", async () => {
    const place = await placeOnSmallDisk();
    await stopEmulator(await startEmulator(place));
    // The log of the one in the background is there already, and cannot be written to.
    expect(succeeds("mount", "-o", "remount,ro", place.stateFolder)).toBe(true);
    expect(await starts(place)).toEqual(refusals(place, /EROFS: read-only file system/u, { reset: false, code: 2 }));
    const reset = await place.run("emulator reset --yes");
    expect(reset).toMatchObject({ code: 2, stderr: expect.stringMatching(/^error: [^\n]+\n$/u) });
  });

  test.skipIf(!canMount)("a database on a full disk", async () => {
    const place = await placeOnSmallDisk();
    await stopEmulator(await startEmulator(place));
    await fill(place, 0);
    expect(await starts(place)).toEqual(refusals(place, /full.*Make room/u, { reset: false }));
    await rm(ballastOf(place));
    await stopEmulator(await startEmulator(place));
  });
});

test.skipIf(!canMount)(
  "a folder on a disk that can only be read, with nothing in it, is refused in one line",
  async () => {
    const place = await placeOnSmallDisk();
    expect(succeeds("mount", "-o", "remount,ro", place.stateFolder)).toBe(true);
    for (const command of ["emulator", "emulator --ephemeral", "run", "emulator stop", "emulator reset --yes"]) {
      const { code, stdout, stderr } = await place.start(command).ended;
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      expect(stderr).toMatch(/^error: [^\n]+\n$/u);
      expect(stderr).toContain(place.stateFolder);
      expect(stderr).not.toContain("internal error");
    }
  },
);

const ballastOf = (place: Workplace): string => join(place.stateFolder, "ballast");

/** Takes what room there is but for so many bytes. */
async function fill(place: Workplace, left: number): Promise<void> {
  let held = 0;
  for (const name of await readdir(place.stateFolder)) held += (await stat(join(place.stateFolder, name))).size;
  try {
    await writeFile(ballastOf(place), Buffer.alloc(4 * MB - held - left));
  } catch (error) {
    // Files take whole pages, so that the last ones may not be there.
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  }
}

describe.skipIf(!canMount)("a disk that fills up while the emulator runs", () => {
  const input = "x".repeat(100 * KB);

  async function start(connection: RawConnection, instanceId: string): Promise<void> {
    await connection.start(instanceId, "Orchestrator", (request) => {
      request.setInput(stringValue(input));
    });
  }

  /** Starts instances until one is refused; their ids. */
  async function startAll(connection: RawConnection, prefix = "instance"): Promise<readonly string[]> {
    const accepted: string[] = [];
    for (;;) {
      const instanceId = `${prefix}-${accepted.length}`;
      try {
        await start(connection, instanceId);
      } catch (error) {
        expect(error).toMatchObject({
          code: status.RESOURCE_EXHAUSTED,
          details: expect.stringMatching(/disk is full.*Nothing was changed/u),
        });
        return accepted;
      }
      accepted.push(instanceId);
    }
  }

  test("makes it refuse starts with an error and answer reads, until there is room again", async () => {
    const place = await placeOnSmallDisk();
    const emulator = await startEmulator(place);
    const connection = connect(place);
    await fill(place, 2 * MB);
    const accepted = await startAll(connection);
    expect(accepted.length).toBeGreaterThan(5);
    await expect(start(connection, "refused")).rejects.toMatchObject({ code: status.RESOURCE_EXHAUSTED });

    for (const instanceId of accepted) expect((await connection.state(instanceId))?.input?.value).toBe(input);

    expect(await connection.state("refused")).toBeUndefined();
    expect(await place.runningEmulator()).toMatchObject({ instances: accepted.length, pid: emulator.pid });
    expect(await connection.history(accepted[0]!)).not.toHaveLength(0);

    await rm(ballastOf(place));
    await start(connection, "refused");
    expect(await place.runningEmulator()).toMatchObject({ instances: accepted.length + 1 });
    await stopEmulator(emulator);
    await startEmulator(place);
    expect(await place.runningEmulator()).toMatchObject({ instances: accepted.length + 1 });
  });

  test("loses no result: workers keep it, report the trouble in two lines, and execute nothing twice", async () => {
    const place = await placeOnSmallDisk();
    await startEmulator(place);
    const load = "--parallel-orchestrations 10 --iterations 8 --parallel-activities 5 --activity-duration 200ms";
    const run = place.start(`run --workers 1 --json --allow-invalid ${load}`);
    await activitiesReach(60, place.socket, run);
    await fill(place, 0);
    await run.says(/The backend takes no results: [\d,]+ results? kept, and sent again later \(RESOURCE_EXHAUSTED/u);
    await rm(ballastOf(place));
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(parseRunResult(stdout).counts.activities).toMatchObject({
      needed: 400,
      completed: 400,
      reExecuted: 0,
    });
    expect(stderr.match(/takes no results/gu)).toHaveLength(1);
    expect(stderr.match(/takes results again, after .*: none was lost/gu)).toHaveLength(1);
    expect(stderr).not.toContain("dropped");
  });

  test("loses no acknowledged work, even if the emulator is stopped or killed before there is room", async () => {
    const place = await placeOnSmallDisk();
    for (const signal of ["SIGTERM", "SIGKILL"] as const) {
      const emulator = await startEmulator(place);
      await fill(place, 1 * MB);
      const connection = connect(place);
      const accepted = await startAll(connection, signal);
      const { instances } = await place.runningEmulator();
      emulator.kill(signal);
      await emulator.ended;
      await rm(ballastOf(place));
      const next = await startEmulator(place);
      expect(await place.runningEmulator()).toMatchObject({ instances });
      for (const instanceId of accepted) expect(await connect(place).state(instanceId)).toBeDefined();
      await stopEmulator(next);
    }
  });
});
