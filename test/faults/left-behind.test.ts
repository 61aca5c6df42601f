import { appendFileSync, copyFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { RawConnection, scheduleTask } from "../support/emulator/raw-connection.js";
import type { EmulatorArguments } from "./emulator-main.js";
import { isReady, startActor, type Actor } from "./understudies.js";

/** Beyond what one page of the database holds. */
const INSTANCES = 30;
const WHOLE = { instances: INSTANCES, tasks: [0, 1] };

/** A folder that an emulator has left which was killed: most of what it was told of is in the log alone. */
async function folderLeftBehind(): Promise<string> {
  const folder = newFolder();
  const emulator = await started(folder);
  const connection = connect(folder);
  await Promise.all(Array.from({ length: INSTANCES }, (_, n) => connection.start(`one-${n}`)));
  const worker = await connection.worker();
  await connection.completeEpisode(await worker.item(), [scheduleTask(0), scheduleTask(1)]);
  emulator.child.kill("SIGKILL");
  await emulator.ended;
  return folder;
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "fanout-faults-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  return folder;
}

function start(folder: string): Actor {
  const options: EmulatorArguments = { folder, checkpointPages: 4_000, diskMs: 0 };
  // As long as in the product: nothing here waits for a silent connection, and this process may be held up.
  const env = { FAULT_SILENCE_MS: "30000" };
  const emulator = startActor("emulator", { argument: JSON.stringify(options), env });
  onTestFinished(async () => {
    emulator.child.kill("SIGKILL");
    await emulator.ended;
  });
  return emulator;
}

async function started(folder: string): Promise<Actor> {
  const emulator = start(folder);
  if (!(await isReady(emulator))) throw new Error(`The emulator does not start: ${emulator.said.join("\n")}`);
  return emulator;
}

function connect(folder: string): RawConnection {
  const connection = new RawConnection(`unix:${join(folder, "emulator.sock")}`, "default");
  onTestFinished(() => {
    connection.close();
  });
  return connection;
}

/** How many instances of it there are, and which activities of them are to be had. */
async function whatIsIn(folder: string): Promise<{ instances: number; tasks: number[] }> {
  const connection = connect(folder);
  const states = await Promise.all(Array.from({ length: INSTANCES }, (_, n) => connection.state(`one-${n}`)));
  const worker = await connection.worker();
  const tasks: number[] = [];
  // An episode of each but the one that has had its own.
  for (let n = 0; n < INSTANCES - 1 + WHOLE.tasks.length; n += 1) {
    const { activityrequest } = await worker.item();
    if (activityrequest) tasks.push(activityrequest.taskid);
  }
  return { instances: states.filter((state) => state !== undefined).length, tasks: tasks.sort((a, b) => a - b) };
}

/** What another program does to the database that leaves a log behind, as a killed one does. */
function changeAndDie(folder: string, change: (database: DatabaseSync) => void): void {
  const files = ["emulator.db", "emulator.db-wal"].map((name) => join(folder, name));
  const other = new DatabaseSync(files[0]!);
  change(other);
  for (const file of files) copyFileSync(file, `${file}.dead`);
  other.close();
  for (const file of files) copyFileSync(`${file}.dead`, file);
}

/** All that version 2 had, by name. */
const VERSION_2 = new Set(
  `instances history waiting totals instances_by_id instances_in_flight instances_ended
  key task_hub instance_id execution_id name version status created_us updated_us completed_us scheduled_start_us
  tasks_completed input output custom_status failure`.split(/\s+/u),
);

function toVersion2(database: DatabaseSync): void {
  const all = database.prepare("SELECT type, name FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY type").all();
  for (const { type, name } of all)
    if (!VERSION_2.has(String(name))) database.exec(`DROP ${String(type)} ${String(name)}`);

  for (const { name } of database.prepare("PRAGMA table_info(instances)").all())
    if (!VERSION_2.has(String(name))) database.exec(`ALTER TABLE instances DROP COLUMN ${String(name)}`);

  database.exec("PRAGMA user_version = 2");
}

describe("the state of a killed emulator", () => {
  test("is opened in full", async () => {
    const folder = await folderLeftBehind();
    expect(existsSync(join(folder, "emulator.db-wal"))).toBe(true);
    await started(folder);
    expect(await whatIsIn(folder)).toEqual(WHOLE);
  });

  test("is opened in full with half of a write behind it", async () => {
    const folder = await folderLeftBehind();
    const log = join(folder, "emulator.db-wal");
    // A frame of the log begun anew, as it is when the machine stops in the midst of one.
    appendFileSync(log, readFileSync(log).subarray(32, 32 + 2_000));
    await started(folder);
    expect(await whatIsIn(folder)).toEqual(WHOLE);
  });

  test("is opened in full if it has an older version", async () => {
    const folder = await folderLeftBehind();
    changeAndDie(folder, toVersion2);
    await started(folder);
    expect(await whatIsIn(folder)).toEqual(WHOLE);
  });

  test("is refused in one line and not changed if it has a newer version", async () => {
    const folder = await folderLeftBehind();
    changeAndDie(folder, (database) => {
      database.exec("PRAGMA user_version = 1000");
    });
    const aside = newFolder();
    for (const name of readdirSync(folder).filter((name) => name.startsWith("emulator.db")))
      copyFileSync(join(folder, name), join(aside, name));

    const emulator = start(folder);
    await emulator.ended;
    expect({ code: emulator.child.exitCode, lines: emulator.said.length }).toEqual({ code: 1, lines: 1 });
    expect(emulator.said[0]).toContain("schema 1000");
    expect(contentOf(folder)).toEqual(contentOf(aside));
  });
});

/** All rows of all tables, whether they are in the log or in the database: whoever closes it may move them. */
function contentOf(folder: string): unknown {
  const database = new DatabaseSync(join(folder, "emulator.db"));
  const tables = database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all();
  const rows = tables.map(({ name }) => database.prepare(`SELECT * FROM ${String(name)}`).all());
  const version = database.prepare("PRAGMA user_version").get();
  database.close();
  return { version, tables, rows };
}
