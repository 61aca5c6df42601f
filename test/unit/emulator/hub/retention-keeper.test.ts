import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { GroupCommit } from "../../../../src/emulator/store/group-commit.js";
import { RetentionKeeper } from "../../../../src/emulator/hub/retention-keeper.js";
import type { Retention } from "../../../../src/emulator/hub/retention.js";
import { instanceIdOf } from "../../../../src/plan/run-id.js";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { StoreError, type Store } from "../../../../src/emulator/store/store.js";
import { failNext } from "../../../support/emulator/failing-store.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";
import { committed, newInstance } from "../../../support/emulator/store-contract.js";

const HOUR_US = 3_600_000_000;
const NOW_US = 1_800_000_000_000_000;
const INPUT_BYTES = 10_000;

let folder: string;
let file: string;
let store: Store;
let commits: GroupCommit;
let rollbacks: number;

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-retention-"));
  file = path.join(folder, "emulator.db");
  store = await openSqliteStore(file);
  rollbacks = 0;
  commits = new GroupCommit(store, new VirtualTime(), {
    onCommitted: () => () => {},
    onRolledBack: () => {
      rollbacks += 1;
    },
    onLost: () => {},
  });
});

afterEach(() => {
  store.close();
  rmSync(folder, { recursive: true });
});

/** A keeper whose time passes when a test says so: what it has put off, and for how long. */
class Keeping {
  readonly keeper: RetentionKeeper;
  readonly delays: number[] = [];
  steadyMs = 0;
  nowUs = NOW_US;
  #pending: (() => void) | undefined;

  constructor(retention: Partial<Retention>, msOfALook = 0) {
    this.keeper = new RetentionKeeper({
      store,
      commits,
      retention: { ageMs: undefined, bytes: undefined, ...retention },
      clock: {
        nowUs: () => this.nowUs,
        steadyMs: () => (this.steadyMs += msOfALook),
        after: (delayMs, action) => {
          this.#pending = action;
          this.delays.push(delayMs);
          return () => {
            this.#pending = undefined;
          };
        },
      },
    });
  }

  get isPending(): boolean {
    return this.#pending !== undefined;
  }

  /** Lets what was put off come, and brings its turn to the disk. */
  async step(): Promise<void> {
    const action = this.#pending!;
    this.#pending = undefined;
    action();
    commits.flush();
    await durable();
  }

  /** Until it has nothing left to do for a minute. */
  async look(): Promise<void> {
    do await this.step();
    while (this.delays.at(-1) !== 60_000);
  }
}

async function durable(): Promise<void> {
  await new Promise((resolve) => {
    commits.whenDurable(resolve);
  });
}

function add(instanceId: string, endedUs?: number): void {
  committed(store, () => {
    const key = store.insertInstance(newInstance({ instanceId, input: new Uint8Array(INPUT_BYTES) }))!;
    if (endedUs !== undefined) {
      store.applyEpisode(key, {
        processedSeq: 0,
        historySeq: 0,
        history: new Uint8Array(INPUT_BYTES),
        status: Status.Completed,
        updatedUs: endedUs,
        completedUs: endedUs,
        output: undefined,
        customStatus: undefined,
        failure: undefined,
        trace: undefined,
        tasksCompleted: 0,
      });
    }
  });
}

function idsOf(): string[] {
  return store
    .query({
      taskHub: "hub",
      instanceIdPrefix: "",
      statuses: [],
      createdFromUs: 0,
      createdToUs: 0,
      afterInstanceId: "",
      limit: 10_000,
      payloads: false,
    })
    .rows.map(({ instanceId }) => instanceId);
}

function bytesOnDisk(): number {
  return statSync(file).size + statSync(`${file}-wal`).size;
}

test("what is too old is deleted, and what is young or in flight stays", async () => {
  add("old", NOW_US - 25 * HOUR_US);
  add("just old enough", NOW_US - 24 * HOUR_US);
  add("young", NOW_US - 24 * HOUR_US + 1);
  add("in flight");
  const keeping = new Keeping({ ageMs: 24 * 3_600_000 });
  await keeping.look();
  expect(idsOf()).toEqual(["in flight", "young"]);
  expect(keeping.keeper.deleted).toBe(2);
  expect(store.instanceCount()).toBe(2);
});

test("above its size the file loses what ended first, keeps the last hour, and shrinks", async () => {
  for (let n = 0; n < 600; n += 1) add(`old-${n.toString().padStart(3, "0")}`, NOW_US - 3 * HOUR_US + n);

  add("young", NOW_US - HOUR_US / 2);
  add("in flight");
  store.trim();
  const before = bytesOnDisk();
  const keeping = new Keeping({ bytes: before / 4 });
  await keeping.look();
  expect(idsOf().slice(0, 2)).toEqual(["in flight", "old-500"]);
  expect(idsOf().at(-1)).toBe("young");
  expect(before / bytesOnDisk()).toBeGreaterThan(3);
  const all = new Keeping({ bytes: 1 });
  await all.look();
  expect(idsOf()).toEqual(["in flight", "young"]);
});

test("one turn deletes 500 at most, and others have the emulator for a while behind each", async () => {
  for (let n = 0; n < 1_100; n += 1) add(`old-${n}`, 1);

  const keeping = new Keeping({ ageMs: 1_000 });
  for (const deleted of [500, 1_000, 1_100]) {
    await keeping.step();
    expect([1_100 - store.instanceCount(), keeping.delays.at(-1)]).toEqual([deleted, 30]);
  }
});

test("a turn ends early where deleting takes long, and gets on all the same", async () => {
  for (let n = 0; n < 10; n += 1) add(`old-${n}`, 1);

  const keeping = new Keeping({ ageMs: 1_000 }, 4);
  await keeping.step();
  expect(keeping.keeper.deleted).toBe(3);
  const slow = new Keeping({ ageMs: 1_000 }, 1_000);
  await slow.step();
  expect(slow.keeper.deleted).toBe(1);
});

test("nothing is written where nothing is over its time", async () => {
  add("young", NOW_US - 1);
  store.trim();
  const keeping = new Keeping({ ageMs: 1_000_000, bytes: 1e9 });
  await keeping.look();
  expect(statSync(`${file}-wal`).size).toBe(0);
  expect(idsOf()).toEqual(["young"]);
});

test("a turn that finds the disk full changes nothing, and is tried again a minute later", async () => {
  add("old", 1);
  const keeping = new Keeping({ ageMs: 1_000 });
  failNext(store, "commit");
  await keeping.step();
  expect([keeping.delays.at(-1), rollbacks, keeping.keeper.deleted]).toEqual([60_000, 1, 0]);
  expect(idsOf()).toEqual(["old"]);
  await keeping.look();
  expect(idsOf()).toEqual([]);
});

test("one that is stopped does nothing more, also where a turn was under way", async () => {
  add("old", 1);
  const keeping = new Keeping({ ageMs: 1_000 });
  keeping.keeper.stop();
  expect(keeping.isPending).toBe(false);
  const busy = new Keeping({ ageMs: 1_000 });
  commits.submit(
    () => {
      busy.keeper.stop();
    },
    () => {},
  );
  commits.flush();
  await durable();
  expect(busy.isPending).toBe(false);
});

test("runs of fanout go at their own age, and nothing else does", async () => {
  const DAY_US = 24 * HOUR_US;
  const old = Array.from({ length: 600 }, (_, n) => instanceIdOf(`rabcdefgh1234${n % 2 === 0 ? "" : ".2"}`, n));
  for (const [n, instanceId] of old.entries()) add(instanceId, NOW_US - DAY_US - n);
  const kept = ["chosen-00000-000", "sabcdefgh1234-00000-000", "rabcdefgh1234-child", "another"];
  for (const instanceId of kept) add(instanceId, NOW_US - 2 * DAY_US);
  add("rabcdefgh1234-00001-000", NOW_US - DAY_US / 2);
  add("rabcdefgh1234-00001-001");
  const keeping = new Keeping({ ageMs: 7 * 86_400_000, runAgeMs: 86_400_000 });
  await keeping.look();
  expect(idsOf().toSorted()).toEqual([...kept, "rabcdefgh1234-00001-000", "rabcdefgh1234-00001-001"].toSorted());
  expect(keeping.keeper.deleted).toBe(600);
  // What ends later is looked at later, and from where it was.
  add("rabcdefgh1234-00002-000", NOW_US - DAY_US);
  await keeping.look();
  expect(keeping.keeper.deleted).toBe(601);
});

test("runs that ended after the clock was set back go at their age too", async () => {
  const DAY_US = 24 * HOUR_US;
  add("rabcdefgh1234-00000-000", NOW_US - DAY_US);
  const keeping = new Keeping({ ageMs: 60 * 86_400_000, runAgeMs: 86_400_000 });
  await keeping.look();
  expect(idsOf()).toEqual([]);
  keeping.nowUs = NOW_US - 3 * DAY_US;
  add("rabcdefgh1234-00001-000", keeping.nowUs);
  await keeping.look();
  keeping.nowUs = NOW_US - 2 * DAY_US;
  await keeping.look();
  expect(idsOf()).toEqual([]);
});

test("a disk that is full while the file shrinks ends nothing, and it is tried again a minute later", async () => {
  for (let n = 0; n < 200; n += 1) add(`old-${n}`, 1);

  const keeping = new Keeping({ ageMs: 1_000 });
  const trim = store.trim.bind(store);
  let tries = 0;
  store.trim = () => {
    tries += 1;
    throw new StoreError("full", "database or disk is full");
  };
  await keeping.look();
  expect(tries).toBe(1);
  store.trim = () => {
    tries += 1;
    trim();
  };
  add("another", 1);
  await keeping.look();
  expect(idsOf()).toEqual([]);
});
