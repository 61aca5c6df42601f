import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Status } from "../../../src/protocol/orchestration-status.js";
import type { NewInstance, NextExecution, Rewound, Store } from "../../../src/emulator/store/store.js";
import { bytes, committed, contents, episode, eventTexts, framed, ids, newInstance } from "./store-contract.js";

/** What every store has to do with what ties instances together, and with what comes back from its end. */
export function storeRelationsContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    let store: Store;

    beforeEach(async () => {
      store = await open();
    });

    afterEach(() => {
      store.close();
    });

    function add(instance: Partial<NewInstance> = {}): number {
      return committed(store, () => store.insertInstance(newInstance(instance)))!;
    }

    /** An instance that has failed, with a history and something of everything that an episode may leave. */
    function addFailed(instance: Partial<NewInstance> = {}): number {
      const key = add(instance);
      committed(store, () => {
        store.appendWaiting(key, { seq: 1, event: bytes("started") });
        store.applyEpisode(
          key,
          episode({
            processedSeq: 1,
            history: framed("started", "failed"),
            status: Status.Failed,
            updatedUs: 70,
            completedUs: 70,
            output: bytes("output"),
            failure: bytes("why"),
            customStatus: bytes("custom"),
            tasksCompleted: 3,
            trace: bytes("trace"),
          }),
        );
      });
      return key;
    }

    const TAGS = [bytes("one"), bytes(""), new Uint8Array(300).fill(7)];

    describe("tags, parent and trace context", () => {
      test("are found as they were inserted, and are part of what is active", () => {
        const row = { tags: TAGS, parentId: "parent", parent: bytes("info") };
        const key = add(row);
        expect(store.find("hub", "one", true)).toMatchObject({ ...row, trace: undefined });
        expect(store.find("hub", "one", false)).toMatchObject(row);
        expect(store.activeOne(key).row).toMatchObject({ ...row, trace: undefined });
      });

      test("stay through episodes, of which each may leave another trace context", () => {
        const row = { tags: TAGS, parentId: "parent", parent: bytes("info") };
        const key = add(row);
        committed(store, () => {
          store.applyEpisode(key, episode({ trace: bytes("first") }));
        });
        expect(store.activeOne(key).row).toMatchObject({ ...row, trace: bytes("first") });
        committed(store, () => {
          store.applyEpisode(key, episode({ historySeq: 1 }));
        });
        expect(store.activeOne(key).row).toMatchObject({ ...row, trace: bytes("first") });
        committed(store, () => {
          store.applyEpisode(key, episode({ historySeq: 2, trace: bytes("second") }));
        });
        expect(store.find("hub", "one", false)).toMatchObject({ ...row, trace: bytes("second") });
      });

      test.each([
        ["those that it is given", [bytes("new")]],
        ["none", []],
      ])("a new execution has the parent, no trace context, and of tags %s", (_, tags) => {
        const key = add({ tags: TAGS, parentId: "parent", parent: bytes("info") });
        committed(store, () => {
          store.applyEpisode(key, episode({ trace: bytes("old") }));
          store.restart(key, nextExecution({ tags }));
        });
        const expected = { parentId: "parent", parent: bytes("info"), trace: undefined, tags };
        expect(store.find("hub", "one", false)).toMatchObject(expected);
        expect(store.activeOne(key).row).toMatchObject(expected);
      });

      test("what is rewound keeps its tags and whose child it is, is told of the parent anew, and has no trace context", () => {
        const key = addFailed({ tags: TAGS, parentId: "parent", parent: bytes("info") });
        committed(store, () => {
          store.reopen(key, 80);
          store.rewind(key, rewound({ parent: bytes("new info") }));
        });
        const expected = { tags: TAGS, parentId: "parent", parent: bytes("new info"), trace: undefined };
        expect(store.find("hub", "one", false)).toMatchObject(expected);
        expect(ids(store.childrenOf("hub", "parent"))).toEqual(["one"]);
      });
    });

    describe("the children of an instance", () => {
      test("are those that name it as their parent, in its hub, in flight or not", () => {
        add({ instanceId: "parent" });
        add({ instanceId: "running", parentId: "parent" });
        addFailed({ instanceId: "failed", parentId: "parent" });
        add({ instanceId: "grandchild", parentId: "running" });
        add({ instanceId: "elsewhere", parentId: "parent", taskHub: "other" });
        add({ instanceId: "alone" });
        expect(ids(store.childrenOf("hub", "parent")).toSorted()).toEqual(["failed", "running"]);
        expect(ids(store.childrenOf("hub", "running"))).toEqual(["grandchild"]);
        expect(ids(store.childrenOf("other", "parent"))).toEqual(["elsewhere"]);
        expect(store.childrenOf("hub", "alone")).toEqual([]);
        expect(store.childrenOf("hub", "")).toEqual([]);
      });

      test("are told without payloads, and are gone with their row, not with that of the parent", () => {
        const parent = add({ instanceId: "parent" });
        const child = addFailed({ instanceId: "child", parentId: "parent", input: bytes("input") });
        committed(store, () => {
          store.deleteInstance(parent);
        });
        expect(store.childrenOf("hub", "parent")).toMatchObject([{ key: child, input: undefined, output: undefined }]);
        committed(store, () => {
          store.deleteInstance(child);
        });
        expect(store.childrenOf("hub", "parent")).toEqual([]);
      });
    });

    test("a status that is set leaves all else as it is", () => {
      const key = add({ input: bytes("input"), tags: TAGS });
      committed(store, () => {
        store.appendWaiting(key, { seq: 1, event: bytes("waits") });
        store.applyEpisode(key, episode({ history: framed("past"), customStatus: bytes("custom"), trace: bytes("t") }));
      });
      const before = store.find("hub", "one", true);
      const eventsBefore = eventTexts(store, key);
      committed(store, () => {
        store.setStatus(key, Status.Suspended, 90);
      });
      expect(store.find("hub", "one", true)).toEqual({ ...before, status: Status.Suspended, updatedUs: 90 });
      expect(eventTexts(store, key)).toEqual(eventsBefore);
      expect([...store.active()].map(({ row }) => row.status)).toEqual([Status.Suspended]);
    });

    describe("what is taken back in after its end", () => {
      test("is in flight again, with its events, and nothing of how it ended", () => {
        const key = addFailed({ input: bytes("input") });
        const other = addFailed({ instanceId: "other" });
        expect([...store.active()]).toEqual([]);
        committed(store, () => {
          store.reopen(key, 80);
        });
        expect(store.find("hub", "one", true)).toMatchObject({
          status: Status.Running,
          updatedUs: 80,
          completedUs: 0,
          output: undefined,
          failure: undefined,
          input: bytes("input"),
          customStatus: bytes("custom"),
          tasksCompleted: 3,
        });
        expect([...store.active()]).toEqual([store.activeOne(key)]);
        expect(store.activeOne(key)).toMatchObject({ nextHistorySeq: 1, waiting: [] });
        expect(eventTexts(store, key)).toEqual(["started", "failed"]);
        expect(store.oldestEnded(1_000, 10)).toEqual([other]);
        expect(store.instanceCount()).toBe(2);
      });

      test("may end again, and is listed by the time of its last end", () => {
        const key = addFailed();
        committed(store, () => {
          store.reopen(key, 80);
          store.appendWaiting(key, { seq: 2, event: bytes("rewound") });
        });
        expect(store.waiting(key).map(textOf)).toEqual(["rewound"]);
        committed(store, () => {
          const end = { status: Status.Completed, completedUs: 95, updatedUs: 95, output: bytes("second") };
          store.applyEpisode(key, episode({ ...end, historySeq: 1, processedSeq: 2, history: framed("end") }));
        });
        expect(store.find("hub", "one", true)).toMatchObject({ output: bytes("second"), failure: undefined });
        expect(store.oldestEnded(94, 10)).toEqual([]);
        expect(store.oldestEnded(95, 10)).toEqual([key]);
        expect(eventTexts(store, key)).toEqual(["started", "failed", "end"]);
      });
    });

    test("a rewind puts one history in the place of all events, on which the next episode goes on", () => {
      const key = addFailed();
      committed(store, () => {
        store.reopen(key, 80);
        store.applyEpisode(key, episode({ historySeq: 1, history: framed("more") }));
        store.appendWaiting(key, { seq: 5, event: bytes("late") });
        store.rewind(key, rewound({ history: framed("started", "kept"), tasksCompleted: 2, updatedUs: 90 }));
      });
      expect(store.history(key).map(textOf)).toEqual(["started", "kept"]);
      expect(store.waiting(key)).toEqual([]);
      expect(store.find("hub", "one", true)).toMatchObject({
        executionId: "second",
        status: Status.Running,
        tasksCompleted: 2,
        updatedUs: 90,
        completedUs: 0,
      });
      const { nextHistorySeq } = store.activeOne(key);
      expect(nextHistorySeq).toBe(1);
      committed(store, () => {
        store.applyEpisode(key, episode({ historySeq: nextHistorySeq, history: framed("went on") }));
      });
      expect(eventTexts(store, key)).toEqual(["started", "kept", "went on"]);
    });

    test("history and what waits are told apart, each in its order", () => {
      const key = add();
      committed(store, () => {
        for (const seq of [2, 10, 3, 1]) store.appendWaiting(key, { seq, event: bytes(`w${seq}`) });
        store.applyEpisode(key, episode({ processedSeq: 1, historySeq: 0, history: framed("a", "b") }));
        store.applyEpisode(key, episode({ processedSeq: 2, historySeq: 1, history: framed() }));
        store.applyEpisode(key, episode({ processedSeq: 2, historySeq: 2, history: framed("c") }));
      });
      expect(store.history(key).map(textOf)).toEqual(["a", "b", "c"]);
      expect(store.waiting(key).map(textOf)).toEqual(["w3", "w10"]);
      expect(store.history(key + 1)).toEqual([]);
      expect(store.waiting(key + 1)).toEqual([]);
    });

    test("task hubs are kept by name, each once, whether instances are in them or not", () => {
      expect(store.taskHubs()).toEqual([]);
      add({ taskHub: "of an instance" });
      committed(store, () => {
        for (const hub of ["b", "a", "b", "ä %_"]) store.addTaskHub(hub);
      });
      expect(store.taskHubs()).toEqual(["a", "b", "ä %_"]);
      committed(store, () => {
        store.removeTaskHub("b");
        store.removeTaskHub("never there");
      });
      expect(store.taskHubs()).toEqual(["a", "ä %_"]);
    });

    test("a rollback undoes statuses, rewinds, and task hubs", () => {
      const failed = addFailed();
      const running = add({ instanceId: "running", tags: TAGS, parentId: "one" });
      committed(store, () => {
        store.addTaskHub("kept");
      });
      const before = { ...(contents(store, [failed, running]) as object), hubs: store.taskHubs() };
      store.begin();
      store.reopen(failed, 80);
      store.rewind(failed, rewound());
      store.setStatus(running, Status.Suspended, 80);
      store.addTaskHub("new");
      store.removeTaskHub("kept");
      store.deleteInstance(running);
      expect(store.childrenOf("hub", "one")).toEqual([]);
      store.rollback();
      expect({ ...(contents(store, [failed, running]) as object), hubs: store.taskHubs() }).toEqual(before);
      expect(ids(store.childrenOf("hub", "one"))).toEqual(["running"]);
    });
  });
}

function nextExecution(over: Partial<NextExecution> = {}): NextExecution {
  return {
    executionId: "second",
    version: undefined,
    input: undefined,
    tasksCompleted: 0,
    updatedUs: 50,
    status: Status.Running,
    customStatus: undefined,
    tags: [],
    ...over,
  };
}

function rewound(over: Partial<Rewound> = {}): Rewound {
  return {
    executionId: "second",
    history: framed("started"),
    parent: undefined,
    tasksCompleted: 0,
    updatedUs: 85,
    ...over,
  };
}

function textOf(event: Uint8Array): string {
  return Buffer.from(event).toString();
}
