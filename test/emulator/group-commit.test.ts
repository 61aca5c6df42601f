import { afterEach, beforeEach, expect, test } from "vitest";
import { GroupCommit } from "../../src/emulator/group-commit.js";
import { RpcError } from "../../src/emulator/rpc-error.js";
import { openSqliteStore } from "../../src/emulator/sqlite-store.js";
import { StoreError, type Store } from "../../src/emulator/store.js";
import { newInstance } from "./store-contract.js";

let store: Store;
/** What happened, in order. */
let log: string[];
let commits: GroupCommit;

beforeEach(async () => {
  store = await openSqliteStore(":memory:");
  log = [];
  const { commit, rollback } = { commit: store.commit.bind(store), rollback: store.rollback.bind(store) };
  store.commit = () => {
    commit();
    log.push("commit");
  };
  store.rollback = () => {
    rollback();
    log.push("rollback");
  };
  commits = new GroupCommit(store, {
    onCommitted: () => log.push("onCommitted"),
    onRolledBack: () => log.push("onRolledBack"),
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

function fail(error: Error): () => never {
  return () => {
    throw error;
  };
}

test("all that arrives in one turn is one transaction, answered behind it and in order", async () => {
  const answers = await Promise.all([start("a"), start("b"), start("c")]);
  expect(answers).toEqual(["a", "b", "c"]);
  expect(log).toEqual(["apply a", "apply b", "apply c", "commit", "answer a", "answer b", "answer c", "onCommitted"]);
  expect(store.counts().instances).toBe(3);
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
  expect(log).toEqual([
    "apply first",
    "commit",
    "onCommitted",
    "apply second",
    "commit",
    "answer second",
    "onCommitted",
  ]);
});

test("flush commits what waits, and only once", async () => {
  const answer = start("a");
  commits.flush();
  expect(log).toEqual(["apply a", "commit", "answer a", "onCommitted"]);
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
  expect(store.counts().instances).toBe(2);
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
    "onCommitted",
  ]);
  expect(store.counts().instances).toBe(0);
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
  expect(store.counts().instances).toBe(0);
});

test("the turn behind one that was rolled back is committed", async () => {
  await start("a", fail(new Error("a defect")));
  expect(await start("b")).toBe("b");
  expect(store.find("hub", "a", false)).toBeUndefined();
  expect(store.find("hub", "b", false)).toBeDefined();
});
