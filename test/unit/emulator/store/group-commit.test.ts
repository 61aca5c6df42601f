import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { GroupCommit } from "../../../../src/emulator/store/group-commit.js";
import { invariant } from "../../../../src/invariant.js";
import { RpcError } from "../../../../src/protocol/rpc-error.js";
import { openSqliteStore } from "../../../../src/emulator/store/sqlite/store.js";
import { StoreError, type Store } from "../../../../src/emulator/store/store.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";
import { newInstance } from "../../../support/emulator/store-contract.js";

let time: VirtualTime;
let store: Store;
/** What happened, in order. */
let log: string[];
let commits: GroupCommit;
let turns: number;

beforeEach(async () => {
  store = await openSqliteStore(":memory:");
  time = new VirtualTime();
  log = [];
  turns = 0;
  const { commit, rollback } = { commit: store.commit.bind(store), rollback: store.rollback.bind(store) };
  store.commit = () => {
    commit();
    log.push("commit");
  };
  store.rollback = () => {
    rollback();
    log.push("rollback");
  };
  commits = new GroupCommit(store, time, {
    onCommitted: () => {
      const turn = (turns += 1);
      return () => log.push(`publish ${turn}`);
    },
    onRolledBack: () => log.push("onRolledBack"),
    onLost: (error) => log.push(`lost: ${error.message}`),
  });
});

afterEach(() => {
  store.close();
});

/** Submits a start of an instance; resolves with how it was answered. */
function start(instanceId: string, then: () => void = () => {}): Promise<unknown> {
  return new Promise((resolve) => {
    commits.submit(
      () => {
        log.push(`apply ${instanceId}`);
        store.insertInstance(newInstance({ instanceId }));
        then();
        return instanceId;
      },
      (error, value) => {
        log.push(`answer ${instanceId}`);
        resolve(error ?? value);
      },
    );
  });
}

/** Commits what was submitted, without waiting for the disk. */
function committed(instanceId: string): Promise<unknown> {
  const answer = start(instanceId);
  commits.flush();
  return answer;
}

function fail(error: Error): () => never {
  return () => {
    throw error;
  };
}

test("all that arrives in one turn is one transaction, answered behind it and in order", async () => {
  const answers = await Promise.all([start("a"), start("b"), start("c")]);
  expect(answers).toEqual(["a", "b", "c"]);
  expect(log).toEqual(["apply a", "apply b", "apply c", "commit", "answer a", "answer b", "answer c", "publish 1"]);
  expect(store.instanceCount()).toBe(3);
});

test("nothing is applied in the turn that submits it", async () => {
  const answer = start("a");
  expect(log).toEqual([]);
  await answer;
  expect(log).toContain("commit");
});

test("what an answer submits belongs to the next transaction", async () => {
  const second = new Promise((resolve) => {
    commits.submit(
      () => log.push("apply first"),
      () => {
        resolve(start("second"));
      },
    );
  });
  await second;
  expect(log).toEqual(["apply first", "commit", "publish 1", "apply second", "commit", "answer second", "publish 2"]);
});

/** What a command does that takes long. */
function busy(ms: number): () => void {
  return () => {
    time.advance(ms);
  };
}

test("commands that take long together leave the event loop to others in between, and stay in order", async () => {
  const names = Array.from({ length: 20 }, (_, n) => `slow ${n}`);
  const answers = Promise.all(names.map((name) => start(name, busy(10))));
  const second = start("behind");
  let turns = 0;
  const count = (): void => {
    turns += 1;
    immediate = setImmediate(count);
  };
  let immediate = setImmediate(count);
  await Promise.all([answers, second]);
  clearImmediate(immediate);
  expect(turns).toBeGreaterThan(3);
  expect(log.filter((line) => line.startsWith("answer"))).toEqual([...names, "behind"].map((name) => `answer ${name}`));
  expect(log.filter((line) => line === "commit").length).toBeGreaterThan(3);
});

test("flush commits all that waits, however long it takes", () => {
  for (let n = 0; n < 10; n += 1) void start(`${n}`, busy(10));
  commits.flush();
  expect(log.filter((line) => line === "commit")).toHaveLength(1);
  expect(store.instanceCount()).toBe(10);
});

test("flush commits what waits, and only once", async () => {
  const answer = start("a");
  commits.flush();
  expect(log).toEqual(["apply a", "commit", "answer a", "publish 1"]);
  await answer;
  await start("b");
  expect(log.filter((line) => line === "apply a")).toHaveLength(1);
  commits.flush();
  expect(log.filter((line) => line === "commit")).toHaveLength(2);
});

test("an RpcError is the answer of its own command, and the others are committed", async () => {
  const refused = new RpcError("ALREADY_EXISTS", "It is there.");
  const alone = new Promise((resolve) => {
    commits.submit(fail(refused), resolve);
  });
  expect(await Promise.all([start("a"), alone, start("b")])).toEqual(["a", refused, "b"]);
  expect(store.instanceCount()).toBe(2);
  expect(log).not.toContain("rollback");
});

test("any other error rolls the whole turn back, and every command is told so", async () => {
  const answers = await Promise.all([
    start("a"),
    start("b", fail(new StoreError("broken", "disk I/O error"))),
    start("c"),
  ]);
  for (const answer of answers) {
    expect(answer).toBeInstanceOf(RpcError);
    expect(answer).toMatchObject({ code: "INTERNAL", message: expect.stringContaining("disk I/O error") as string });
  }
  expect(log).toEqual([
    "apply a",
    "apply b",
    "rollback",
    "onRolledBack",
    "answer a",
    "answer b",
    "answer c",
    "publish 1",
  ]);
  expect(store.instanceCount()).toBe(0);
});

test("a full disk is RESOURCE_EXHAUSTED, in those words", async () => {
  const answer = await start("a", fail(new StoreError("full", "database or disk is full")));
  expect(answer).toMatchObject({
    code: "RESOURCE_EXHAUSTED",
    message: "The emulator's disk is full: database or disk is full. Nothing was changed.",
  });
});

test("a commit that fails is answered like a command that fails", async () => {
  store.commit = fail(new StoreError("full", "no room"));
  expect(await start("a")).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
  expect(store.instanceCount()).toBe(0);
});

test("the turn behind one that was rolled back is committed", async () => {
  await start("a", fail(new Error("a defect")));
  expect(await start("b")).toBe("b");
  expect(store.find("hub", "a", false)).toBeUndefined();
  expect(store.find("hub", "b", false)).toBeDefined();
});

describe("while a sync is under way", () => {
  /** Ends the sync that is under way. */
  let endSync: (error?: Error) => void;

  beforeEach(() => {
    store.sync = (done) => {
      log.push("sync");
      endSync = (error) => {
        log.push("synced");
        done(error);
      };
    };
    store.syncNow = () => log.push("syncNow");
  });

  test("no answer leaves, and nothing is published", () => {
    void committed("a");
    expect(log).toEqual(["apply a", "commit", "sync"]);
    endSync();
    expect(log.slice(3)).toEqual(["synced", "answer a", "publish 1"]);
  });

  test("the next turns are applied and committed, and one more sync covers them all", () => {
    void committed("a");
    void committed("b");
    void committed("c");
    expect(log).toEqual(["apply a", "commit", "sync", "apply b", "commit", "apply c", "commit"]);
    log = [];
    endSync();
    expect(log).toEqual(["synced", "sync", "answer a", "publish 1"]);
    endSync();
    expect(log.slice(4)).toEqual(["synced", "answer b", "publish 2", "answer c", "publish 3"]);
  });

  test("answers that take long together leave the event loop to others in between, and all come before the end", () => {
    const answered: number[] = [];
    void committed("first");
    for (let n = 0; n < 10; n += 1) {
      commits.submit(
        () => {},
        () => {
          busy(10)();
          answered.push(n);
        },
      );
      commits.flush();
    }
    endSync();
    endSync();
    expect(answered.length).toBeGreaterThan(0);
    expect(answered.length).toBeLessThan(10);
    commits.close();
    expect(answered).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test("a sync that is over at once keeps the order of the answers", () => {
    void committed("a");
    void committed("b");
    const end = endSync;
    store.sync = (done) => {
      done(undefined);
    };
    log = [];
    end();
    expect(log).toEqual(["synced", "answer a", "publish 1", "answer b", "publish 2"]);
  });

  test("a turn that is rolled back takes nothing from the one before it, and is answered behind it", async () => {
    const first = committed("a");
    const second = start("b", fail(new StoreError("full", "no room")));
    commits.flush();
    expect(log.slice(3)).toEqual(["apply b", "rollback", "onRolledBack"]);
    log = [];
    endSync();
    expect(log).toEqual(["synced", "answer a", "publish 1", "answer b", "publish 2"]);
    expect(await first).toBe("a");
    expect(await second).toMatchObject({ code: "RESOURCE_EXHAUSTED" });
    expect(store.find("hub", "a", false)).toBeDefined();
    expect(store.find("hub", "b", false)).toBeUndefined();
  });

  test("what was read is told behind the sync that covers it", () => {
    const read = (name: string): void => {
      commits.whenDurable((lost) => log.push(`${name} ${lost === undefined ? "told" : "refused"}`));
    };
    read("nothing pending:");
    expect(log).toEqual(["nothing pending: told"]);
    void committed("a");
    read("first");
    void committed("b");
    read("second");
    log = [];
    endSync();
    expect(log).toEqual(["synced", "sync", "answer a", "publish 1", "first told"]);
    log = [];
    endSync();
    expect(log).toEqual(["synced", "answer b", "publish 2", "second told"]);
  });

  test("closing syncs all that is committed before it answers, and does not wait for the disk twice", async () => {
    const answers = [committed("a"), committed("b"), start("c")];
    log = [];
    commits.close();
    expect(log).toEqual([
      "apply c",
      "commit",
      "syncNow",
      "answer a",
      "publish 1",
      "answer b",
      "publish 2",
      "answer c",
      "publish 3",
    ]);
    expect(await Promise.all(answers)).toEqual(["a", "b", "c"]);
    expect(await start("d")).toMatchObject({ code: "UNAVAILABLE", message: "The emulator is stopping." });
    log = [];
    endSync(new Error("EIO"));
    expect(log).toEqual(["synced"]);
  });

  describe("that fails", () => {
    const refused = { code: "UNAVAILABLE", message: expect.stringContaining("EIO: i/o error, fdatasync") as string };
    const eio = new Error("EIO: i/o error, fdatasync");

    test("everything that it covered, that was committed since and that waits is refused", async () => {
      const answers = [committed("a"), committed("b"), start("c")];
      const reads = [0, 1].map(
        () =>
          new Promise((resolve) => {
            commits.whenDurable(resolve);
          }),
      );
      endSync(eio);
      for (const answer of await Promise.all([...answers, ...reads])) expect(answer).toMatchObject(refused);

      expect(log.filter((line) => line.startsWith("publish"))).toEqual([]);
      expect(log.filter((line) => line.startsWith("lost"))).toEqual([`lost: ${eio.message}`]);
    });

    test("nothing is accepted, read or synced any more", async () => {
      void committed("a");
      endSync(eio);
      log = [];
      expect(await start("b")).toMatchObject(refused);
      commits.whenDurable((lost) => {
        expect(lost).toMatchObject(refused);
        log.push("read refused");
      });
      commits.close();
      expect(log).toEqual(["answer b", "read refused"]);
    });

    test("as the last one of all, no answer is OK", async () => {
      const answer = committed("a");
      store.syncNow = fail(eio);
      commits.close();
      expect(await answer).toMatchObject(refused);
      expect(log).toContain(`lost: ${eio.message}`);
    });

    test("a turn that was rolled back meanwhile is not said to have changed nothing", async () => {
      void committed("a");
      const second = start("b", fail(new StoreError("full", "no room")));
      commits.flush();
      endSync(eio);
      expect(await second).toMatchObject(refused);
    });
  });
});

test("a command that finds memory contradicting itself is the last one, and nothing of its turn is written", async () => {
  const before = start("before");
  const broken = start("broken", () => {
    invariant(false, "Two and two are four.");
  });
  const told = await Promise.all([before, broken]);
  for (const error of told) expect(error).toMatchObject({ code: "UNAVAILABLE" });
  expect(log).toContain("lost: Two and two are four.");
  expect(log).not.toContain("onRolledBack");
  expect(store.instanceCount()).toBe(0);
  expect(await start("behind")).toMatchObject({ code: "UNAVAILABLE" });
});
