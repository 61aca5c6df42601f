import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { StoreError, type Store } from "../../../../src/emulator/store/store.js";
import { bytes, committed, contents, newInstance, storeContract } from "../../../support/emulator/store-contract.js";
import { storeModelContract } from "../../../support/emulator/store-model-contract.js";
import { storeRelationsContract } from "../../../support/emulator/store-relations-contract.js";

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-store-"));
  file = path.join(folder, "emulator.db");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

for (const [name, open] of [
  ["a store on disk", () => openSqliteStore(file)],
  ["a store in memory", () => openSqliteStore(":memory:")],
] as const) {
  storeContract(name, open);
  storeRelationsContract(name, open);
  storeModelContract(name, open);
}

describe("on disk", () => {
  test("a file opened again has all that was committed, and nothing that was not", async () => {
    const before = await openSqliteStore(file);
    const key = committed(before, () => {
      const key = before.insertInstance(newInstance({ input: bytes("input") }))!;
      before.appendWaiting(key, { seq: 1, event: bytes("event") });
      return key;
    });
    const expected = contents(before, [key]);
    before.begin();
    before.insertInstance(newInstance({ instanceId: "uncommitted" }));
    before.appendWaiting(key, { seq: 2, event: bytes("uncommitted") });
    before.close();
    const after = await openSqliteStore(file);
    expect(contents(after, [key])).toEqual(expected);
    after.close();
  });

  test("what was committed survives SIGKILL in the middle of the next transaction", async () => {
    const child = spawn(
      process.execPath,
      [
        "--input-type=module",
        "--eval",
        `${SCRIPT_HEAD}
         store.begin(); insert("committed"); store.commit();
         store.begin(); insert("uncommitted");
         process.stdout.write("now");
         setInterval(() => {}, 1000);`,
        file,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await once(child.stdout, "data");
    child.kill("SIGKILL");
    await once(child, "exit");
    const store = await openSqliteStore(file);
    expect(store.find("hub", "committed", false)).toBeDefined();
    expect(store.instanceCount()).toBe(1);
    store.close();
  });

  test("closing while a sync is under way leaves all that was committed", async () => {
    const before = await openSqliteStore(file);
    for (let n = 0; n < 100; n += 1)
      committed(before, () => before.insertInstance(newInstance({ instanceId: `number ${n}` })));

    before.sync(() => {});
    before.close();
    const after = await openSqliteStore(file);
    expect(after.instanceCount()).toBe(100);
    after.close();
  });

  test("a file behind a link is synced where it is", async () => {
    const link = path.join(folder, "link.db");
    (await openSqliteStore(file)).close();
    symlinkSync(file, link);
    const store = await openSqliteStore(link);
    committed(store, () => store.insertInstance(newInstance()));
    store.syncNow();
    store.close();
    expect(existsSync(`${link}-wal`)).toBe(false);
  });

  test("a sync that the disk refuses is told, and closing then writes nothing any more", async () => {
    let broken = false;
    const store = await openSqliteStore(file, {
      disk: {
        fdatasyncSync: (descriptor) => {
          if (broken) throw new Error("EIO: i/o error, fdatasync");
          fdatasyncSync(descriptor);
        },
        fdatasync,
      },
    });
    committed(store, () => store.insertInstance(newInstance()));
    broken = true;
    const errors: unknown[] = [];
    store.sync((error) => errors.push(error));
    expect(errors).toEqual([new Error("EIO: i/o error, fdatasync")]);
    expect(() => {
      store.syncNow();
    }).toThrow("EIO");
    const before = [file, `${file}-wal`].map((name) => readFileSync(name));
    store.close();
    expect([file, `${file}-wal`].map((name) => readFileSync(name))).toEqual(before);
    // This process holds its lock to its end, so what the next one finds is looked at in a copy.
    const copy = path.join(folder, "copy.db");
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    const next = await openSqliteStore(copy);
    expect(next.find("hub", "one", false)).toBeDefined();
    next.close();
  });

  test("a log that a process has left is on disk before anything is answered from it", async () => {
    const first = await openSqliteStore(file);
    committed(first, () => first.insertInstance(newInstance()));
    const copy = path.join(folder, "copy.db");
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    first.close();
    const log = readFileSync(`${copy}-wal`);
    let synced = 0;
    const second = await openSqliteStore(copy, {
      disk: { fdatasyncSync: () => (synced += 1), fdatasync },
    });
    expect(synced).toBe(1);
    expect(readFileSync(`${copy}-wal`).subarray(0, log.length).equals(log)).toBe(true);
    expect(second.find("hub", "one", false)).toBeDefined();
    second.close();
  });

  test("a file of a newer version is refused, and left as it was", async () => {
    const newer = new DatabaseSync(file);
    newer.exec("CREATE TABLE later (x); PRAGMA user_version = 1000");
    newer.close();
    await expect(openSqliteStore(file)).rejects.toSatisfy(isFault("newer", /1000/));
    const unchanged = new DatabaseSync(file);
    expect(unchanged.prepare("PRAGMA user_version").get()).toEqual({ user_version: 1000 });
    expect(unchanged.prepare("SELECT name FROM sqlite_schema").all()).toEqual([{ name: "later" }]);
    unchanged.close();
  });

  test("a file that another one has open is refused as locked", async () => {
    const first = await openSqliteStore(file);
    await expect(openSqliteStore(file)).rejects.toSatisfy(isFault("locked", /lock/));
    first.close();
    const second = await openSqliteStore(file);
    second.close();
  });

  test("a file that is no database is refused as damaged", async () => {
    writeFileSync(file, "This is not a database. ".repeat(100));
    await expect(openSqliteStore(file)).rejects.toSatisfy(isFault("damaged", /not a database/));
  });

  test("a folder that is not there is refused as broken", async () => {
    await expect(openSqliteStore(path.join(folder, "none", "emulator.db"))).rejects.toSatisfy(
      isFault("broken", /unable to open/),
    );
  });

  test("a store without room says that it is full, changes nothing, and goes on once there is room", async () => {
    const store = await openSqliteStore(file);
    committed(store, () => store.insertInstance(newInstance({ instanceId: "before" })));
    const connection = connectionOf(store);
    connection.exec("PRAGMA max_page_count = 20");
    store.begin();
    const fill = (): void => {
      for (let n = 0; n < 100; n += 1)
        store.insertInstance(newInstance({ instanceId: `big ${n}`, input: new Uint8Array(10_000) }));
    };
    expect(fill).toThrow(expect.toSatisfy(isFault("full", /full/)) as Error);
    store.rollback();
    expect(store.instanceCount()).toBe(1);
    connection.exec("PRAGMA max_page_count = 100000");
    committed(store, fill);
    expect(store.instanceCount()).toBe(101);
    store.close();
  });

  // The kernel's limit on the size of a file stands in for a disk that fails in the middle of a transaction.
  test.skipIf(process.platform !== "linux")(
    "a write that the disk refuses changes nothing of what was there",
    async () => {
      const script = `${SCRIPT_HEAD}
      store.begin(); insert("before"); store.commit();
      let fault;
      store.begin();
      try {
        for (let n = 0; n < 1000; n += 1) insert("big" + n, new Uint8Array(100_000));
        store.commit();
      } catch (error) {
        fault = error.name + " " + error.fault;
        store.rollback();
      }
      store.begin(); insert("after"); store.commit();
      process.stdout.write(JSON.stringify({ fault, instances: store.instanceCount() }));
      store.close();`;
      const run = spawnSync(
        "bash",
        [
          "-c",
          `trap '' XFSZ; ulimit -f 2048; exec "$0" --input-type=module --eval "$1" "$2"`,
          process.execPath,
          script,
          file,
        ],
        { encoding: "utf8" },
      );
      expect(run.stderr).toBe("");
      expect(JSON.parse(run.stdout)).toEqual({ fault: "StoreError broken", instances: 2 });
      const store = await openSqliteStore(file);
      expect(store.find("hub", "before", false)).toBeDefined();
      expect(store.find("hub", "after", false)).toBeDefined();
      store.close();
    },
  );

  test("a log that one large transaction has made long is cut when it begins anew", async () => {
    const store = await openSqliteStore(file);
    committed(store, () => {
      for (let n = 0; n < 60; n += 1)
        store.insertInstance(newInstance({ instanceId: `large ${n}`, input: new Uint8Array(1_000_000) }));
    });
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(60_000_000);
    committed(store, () => store.insertInstance(newInstance({ instanceId: "small" })));
    expect(statSync(`${file}-wal`).size).toBeLessThan(40_000_000);
    store.close();
  });

  test("a copy of the file and its log, taken behind a commit, has that commit", async () => {
    const store = await openSqliteStore(file);
    committed(store, () => store.insertInstance(newInstance()));
    const copy = path.join(folder, "copy.db");
    copyFileSync(file, copy);
    copyFileSync(`${file}-wal`, `${copy}-wal`);
    store.close();
    const copied = await openSqliteStore(copy);
    expect(copied.find("hub", "one", false)).toBeDefined();
    copied.close();
  });
});

/** SQLite's limit on pages is one of a connection: this finds the store's, by a statement that the store prepares. */
function connectionOf(store: Store): DatabaseSync {
  const prepare = vi.spyOn(DatabaseSync.prototype, "prepare");
  try {
    store.query({
      taskHub: "hub",
      instanceIdPrefix: "no other query",
      statuses: [],
      createdFromUs: 1,
      createdToUs: 1,
      afterInstanceId: "",
      limit: 1,
      payloads: false,
    });
    return prepare.mock.contexts[0] as DatabaseSync;
  } finally {
    prepare.mockRestore();
  }
}

/** The head of a script for a process of its own: it opens the file that its last argument names. */
const SCRIPT_HEAD = `
  import { openSqliteStore } from ${JSON.stringify(new URL("../../../../dist/emulator/store/sqlite/store.js", import.meta.url))};
  const store = await openSqliteStore(process.argv.at(-1));
  const insert = (instanceId, input) => store.insertInstance({
    taskHub: "hub", instanceId, executionId: "e", name: "O", status: 6, createdUs: 1, scheduledStartUs: 0, input, tags: [],
  });`;

function isFault(fault: string, message: RegExp): (error: unknown) => boolean {
  return (error) => error instanceof StoreError && error.fault === fault && message.test(error.message);
}
