import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { PAST_EVENT, frame } from "../../../src/protocol/event-frames.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import type {
  CompletedFilter,
  CompletedPlace,
  EndedFilter,
  EpisodeResult,
  InstanceRow,
  NewInstance,
  Page,
  RowFilter,
  Store,
} from "../../../src/emulator/store/store.js";

/** What every store has to do, whatever it keeps its rows in. */
export function storeContract(name: string, open: () => Promise<Store>): void {
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

    /** An instance that ended at that time. */
    function addEnded(
      instanceId: string,
      completedUs: number,
      over: Partial<EpisodeResult & NewInstance> = {},
    ): number {
      const key = add({ instanceId, ...over });
      committed(store, () => {
        store.applyEpisode(key, episode({ ...over, completedUs, status: over.status ?? Status.Completed }));
      });
      return key;
    }

    test("an instance is found as it was inserted", () => {
      const instance = newInstance({
        version: bytes("v1"),
        input: bytes("input"),
        scheduledStartUs: 1_700_000_000_000_123,
      });
      const key = add(instance);
      expect(store.find("hub", "one", true)).toEqual({
        ...instance,
        key,
        updatedUs: instance.createdUs,
        completedUs: 0,
        output: undefined,
        customStatus: undefined,
        failure: undefined,
        tasksCompleted: 0,
        trace: undefined,
      });
    });

    test("payloads are read only when they are asked for", () => {
      addEnded("one", 5, {
        input: bytes("input"),
        output: bytes("output"),
        customStatus: bytes("status"),
        failure: bytes("failure"),
      });
      const payloads = { input: bytes("input"), output: bytes("output"), customStatus: bytes("status") };
      expect(store.find("hub", "one", true)).toMatchObject({ ...payloads, failure: bytes("failure") });
      expect(store.query(rowFilter({ payloads: true })).rows[0]).toMatchObject(payloads);
      const none = { input: undefined, output: undefined, customStatus: undefined, failure: undefined };
      expect(store.find("hub", "one", false)).toMatchObject(none);
      expect(store.query(rowFilter({ payloads: false })).rows[0]).toMatchObject(none);
    });

    test("an id is taken only in its own hub", () => {
      const first = add({ instanceId: "one", name: "First" });
      expect(add({ instanceId: "one", name: "Second" })).toBeUndefined();
      const elsewhere = add({ instanceId: "one", name: "Third", taskHub: "other" });
      expect(elsewhere).not.toBe(first);
      expect(store.find("hub", "one", false)).toMatchObject({ key: first, name: "First" });
      expect(store.find("other", "one", false)).toMatchObject({ key: elsewhere, name: "Third" });
      expect(store.find("third", "one", false)).toBeUndefined();
    });

    test("events are told as processed first, then as waiting, each in order of arrival", () => {
      const key = add();
      committed(store, () => {
        for (const seq of [1, 2, 3, 12]) store.appendWaiting(key, { seq, event: bytes(`event ${seq}`) });
      });
      expect(eventTexts(store, key)).toEqual(["event 1", "event 2", "event 3", "event 12"]);
      committed(store, () => {
        store.applyEpisode(
          key,
          episode({ processedSeq: 2, history: framed("started", "event 1", "event 2", "acted") }),
        );
      });
      expect(eventTexts(store, key)).toEqual(["started", "event 1", "event 2", "acted", "event 3", "event 12"]);
    });

    test("an episode changes what it names and leaves the rest", () => {
      const key = add({ input: bytes("input") });
      committed(store, () => {
        store.applyEpisode(key, episode({ customStatus: bytes("half"), updatedUs: 20, tasksCompleted: 3 }));
      });
      const running = {
        status: Status.Running,
        updatedUs: 20,
        completedUs: 0,
        tasksCompleted: 3,
        input: bytes("input"),
      };
      expect(store.find("hub", "one", true)).toMatchObject({ ...running, customStatus: bytes("half") });
      committed(store, () => {
        store.applyEpisode(key, episode({ historySeq: 1, updatedUs: 30, tasksCompleted: 4 }));
      });
      expect(store.find("hub", "one", true)).toMatchObject({ updatedUs: 30, customStatus: bytes("half") });
      committed(store, () => {
        const end = {
          status: Status.Failed,
          completedUs: 40,
          updatedUs: 40,
          failure: bytes("why"),
          output: bytes("out"),
        };
        store.applyEpisode(key, episode({ ...end, historySeq: 2 }));
      });
      expect(store.find("hub", "one", true)).toMatchObject({
        status: Status.Failed,
        completedUs: 40,
        failure: bytes("why"),
        output: bytes("out"),
        customStatus: bytes("half"),
      });
    });

    test("the end of an instance drops the events that nobody will process", () => {
      const key = add();
      committed(store, () => {
        store.appendWaiting(key, { seq: 1, event: bytes("one") });
        store.appendWaiting(key, { seq: 2, event: bytes("late") });
        const end = { status: Status.Completed, completedUs: 9, processedSeq: 1, history: framed("one", "end") };
        store.applyEpisode(key, episode(end));
      });
      expect(eventTexts(store, key)).toEqual(["one", "end"]);
    });

    test("continue-as-new begins an empty history under another execution id", () => {
      const key = add({ version: bytes("v1"), input: bytes("first"), createdUs: 10 });
      committed(store, () => {
        store.applyEpisode(key, episode({ history: framed("old"), customStatus: bytes("status") }));
        store.appendWaiting(key, { seq: 3, event: bytes("unseen") });
        const next = {
          executionId: "second",
          version: undefined,
          input: bytes("again"),
          tasksCompleted: 7,
          updatedUs: 50,
          status: Status.Running,
          customStatus: undefined,
          tags: [],
        };
        store.restart(key, next);
        store.appendWaiting(key, { seq: 4, event: bytes("new") });
      });
      expect(eventTexts(store, key)).toEqual(["new"]);
      expect(store.find("hub", "one", true)).toMatchObject({
        key,
        executionId: "second",
        version: bytes("v1"),
        input: bytes("again"),
        status: Status.Running,
        customStatus: bytes("status"),
        tasksCompleted: 7,
        createdUs: 10,
        updatedUs: 50,
        completedUs: 0,
      });
    });

    test("continue-as-new takes over a new version, and no input if none is given", () => {
      const key = add({ version: bytes("v1"), input: bytes("first") });
      committed(store, () => {
        const counts = { tasksCompleted: 0, updatedUs: 1, status: Status.Running };
        const next = {
          executionId: "2",
          version: bytes("v2"),
          input: undefined,
          customStatus: bytes("new"),
          tags: [],
          ...counts,
        };
        store.restart(key, next);
      });
      expect(store.find("hub", "one", true)).toMatchObject({
        version: bytes("v2"),
        input: undefined,
        customStatus: bytes("new"),
      });
    });

    test("a deleted instance leaves nothing, and its id is free", () => {
      const key = add();
      committed(store, () => {
        store.appendWaiting(key, { seq: 1, event: bytes("waiting") });
        store.applyEpisode(key, episode({ history: framed("past"), processedSeq: 0 }));
        store.deleteInstance(key);
      });
      expect(store.find("hub", "one", true)).toBeUndefined();
      expect(eventTexts(store, key)).toEqual([]);
      expect([...store.active()]).toEqual([]);
      expect(store.instanceCount()).toBe(0);
      const again = add();
      expect(again).toBeDefined();
      expect(eventTexts(store, again)).toEqual([]);
    });

    describe("query", () => {
      test.each<[string, Partial<RowFilter>, string[]]>([
        ["nothing but the hub", {}, ["a", "b", "c", "d"]],
        ["another hub", { taskHub: "other" }, ["a"]],
        ["a hub that is not there", { taskHub: "none" }, []],
        ["one status", { statuses: [Status.Completed] }, ["b"]],
        ["several statuses", { statuses: [Status.Completed, Status.Pending] }, ["a", "b", "d"]],
        ["a status that nobody has", { statuses: [Status.Suspended] }, []],
        ["created from", { createdFromUs: 200 }, ["b", "c", "d"]],
        ["created to", { createdToUs: 200 }, ["a", "b"]],
        ["created within", { createdFromUs: 200, createdToUs: 300 }, ["b", "c"]],
        ["a limit", { limit: 2 }, ["a", "b"]],
        ["behind an id", { afterInstanceId: "b" }, ["c", "d"]],
        ["behind an id that is not there", { afterInstanceId: "bb" }, ["c", "d"]],
        ["all at once", { statuses: [Status.Failed, Status.Pending], createdFromUs: 200, limit: 1 }, ["c"]],
      ])("by %s", (_, filter, expected) => {
        add({ instanceId: "a", createdUs: 100 });
        add({ instanceId: "a", createdUs: 100, taskHub: "other" });
        addEnded("b", 250, { createdUs: 200 });
        addEnded("c", 350, { createdUs: 300, status: Status.Failed });
        add({ instanceId: "d", createdUs: 400 });
        expect(ids(store.query(rowFilter(filter)).rows)).toEqual(expected);
      });

      const AWKWARD = [
        "run",
        "run%",
        "run%1",
        "run_1",
        "runx1",
        "run-1",
        "RUN-2",
        "run\u{1F600}",
        "run\u{1F600}2",
        "ru",
        "äö",
      ];
      test.each<[string, string[]]>([
        ["", AWKWARD],
        ["run", ["run", "run%", "run%1", "run_1", "runx1", "run-1", "run\u{1F600}", "run\u{1F600}2"]],
        ["run%", ["run%", "run%1"]],
        ["run_", ["run_1"]],
        ["run\u{1F600}", ["run\u{1F600}", "run\u{1F600}2"]],
        ["ru", AWKWARD.filter((id) => id.startsWith("ru"))],
        ["ä", ["äö"]],
        ["run-10", []],
      ])("the prefix %j is meant letter by letter", (instanceIdPrefix, expected) => {
        for (const instanceId of AWKWARD) add({ instanceId });

        expect(ids(store.query(rowFilter({ instanceIdPrefix })).rows).sort()).toEqual([...expected].sort());
      });

      test("pages one behind the other hold everything once", () => {
        const all = fc.uniqueArray(fc.string({ unit: "grapheme", minLength: 1, maxLength: 4 }), { maxLength: 20 });
        fc.assert(
          fc.property(all, fc.integer({ min: 1, max: 7 }), (instanceIds, limit) => {
            store.begin();
            try {
              for (const instanceId of instanceIds) store.insertInstance(newInstance({ instanceId }));

              const found: string[] = [];
              let pages = 0;
              for (let after: string | undefined = ""; after !== undefined;) {
                const { rows, next } = store.query(rowFilter({ afterInstanceId: after, limit }));
                pages += 1;
                expect(rows.length).toBeLessThanOrEqual(limit);
                found.push(...ids(rows));
                after = next;
              }
              expect([...found].sort()).toEqual([...instanceIds].sort());
              expect(pages).toBe(Math.max(1, Math.ceil(instanceIds.length / limit)));
            } finally {
              store.rollback();
            }
          }),
          { numRuns: 50 },
        );
      });
    });

    describe("a read of a large store", () => {
      const LARGE = 20_500;

      function fill(): void {
        committed(store, () => {
          for (let n = 0; n < LARGE; n += 1) {
            const key = store.insertInstance(newInstance({ instanceId: n.toString().padStart(5, "0") }))!;
            const status = n === LARGE - 1 ? Status.Failed : Status.Completed;
            store.applyEpisode(key, episode({ status, completedUs: n + 1, tasksCompleted: 1 }));
          }
        });
      }

      test("ends before it has found anything, and goes on from there", () => {
        fill();
        const statuses = [Status.Failed];
        const expected = { sizes: [0, 1], found: [`${LARGE - 1}`] };
        expect(pages<string>((id) => store.query(rowFilter({ statuses, afterInstanceId: id ?? "" })))).toEqual(
          expected,
        );
        expect(pages<CompletedPlace>((after) => store.listCompleted(completedFilter({ statuses, after })))).toEqual(
          expected,
        );
        const place = { taskHub: "hub", instanceIdPrefix: "", completedToUs: LARGE };
        const first = store.resultsOfEnded({ ...place, afterInstanceId: "" });
        const second = store.resultsOfEnded({ ...place, afterInstanceId: first.next! });
        expect(first.sum + second.sum).toBe(LARGE);
        expect(second.next).toBeUndefined();
      });

      test("of what is in flight does not pass what has ended", () => {
        fill();
        add({ instanceId: "running" });
        const filter = rowFilter({ statuses: [Status.Running, Status.Pending] });
        expect(pages<string>((id) => store.query({ ...filter, afterInstanceId: id ?? "" }))).toEqual({
          sizes: [1],
          found: ["running"],
        });
      });

      test("ends early where payloads are large, with one row at least", () => {
        for (const instanceId of ["a", "b", "c"]) add({ instanceId, input: new Uint8Array(1_500_000) });

        add({ instanceId: "d", input: new Uint8Array(5_000_000) });
        const found = ["a", "b", "c", "d"];
        for (const [payloads, sizes] of [
          [true, [2, 2]],
          [false, [4]],
        ] as const) {
          const read = (id = ""): Page<string> => store.query(rowFilter({ payloads, afterInstanceId: id }));
          expect(pages(read)).toEqual({ sizes, found });
        }
      });
    });

    describe("what has completed", () => {
      test.each<[string, Partial<CompletedFilter>, string[]]>([
        ["from a time on", { completedFromUs: 200 }, ["b", "c", "d"]],
        ["up to a time", { completedToUs: 200 }, ["a", "b", "c"]],
        ["within a window", { completedFromUs: 150, completedToUs: 200 }, ["b", "c"]],
        ["in an empty window", { completedFromUs: 201, completedToUs: 299 }, []],
        ["with a status", { completedFromUs: 1, statuses: [Status.Failed] }, ["c"]],
        ["in another hub", { completedFromUs: 1, taskHub: "other" }, ["elsewhere"]],
        ["with a limit", { completedFromUs: 1, limit: 3 }, ["a", "b", "c"]],
      ])("is listed %s in the order of completion", (_, filter, expected) => {
        addEnded("d", 300);
        addEnded("a", 100);
        addEnded("b", 200);
        addEnded("c", 200, { status: Status.Failed });
        addEnded("elsewhere", 200, { taskHub: "other" });
        add({ instanceId: "still running" });
        expect(ids(store.listCompleted(completedFilter(filter)).rows)).toEqual(expected);
      });

      test("pages one behind the other hold everything once, also where times are equal", () => {
        const expected = Array.from({ length: 11 }, (_, n) => `i${n}`);
        for (const instanceId of expected) addEnded(instanceId, 100 + Math.floor(Number(instanceId.slice(1)) / 4));

        const found: string[] = [];
        let after: CompletedFilter["after"];
        do {
          const { rows, next } = store.listCompleted(completedFilter({ completedFromUs: 1, after, limit: 3 }));
          expect(rows.length).toBeLessThanOrEqual(3);
          found.push(...ids(rows));
          after = next;
        } while (after !== undefined);
        expect(found).toEqual(expected);
      });
    });

    test("what is active is all that is needed to go on with it", () => {
      const idle = add({ instanceId: "idle", version: bytes("v1"), scheduledStartUs: 99 });
      addEnded("ended", 5);
      const busy = add({ instanceId: "busy", taskHub: "other", input: bytes("input") });
      committed(store, () => {
        for (const seq of [1, 2, 3]) store.appendWaiting(busy, { seq, event: bytes(`w${seq}`) });

        store.applyEpisode(busy, episode({ processedSeq: 1, historySeq: 0, history: framed("h0") }));
        store.applyEpisode(busy, episode({ processedSeq: 2, historySeq: 1, history: framed("h1"), tasksCompleted: 2 }));
      });
      const [first, second, ...more] = [...store.active()];
      expect(more).toEqual([]);
      expect(first).toMatchObject({ nextHistorySeq: 0, waiting: [] });
      expect(first!.row).toMatchObject({ key: idle, instanceId: "idle", version: bytes("v1"), scheduledStartUs: 99 });
      expect(first!.history).toHaveLength(0);
      expect(second!.row).toMatchObject({ key: busy, taskHub: "other", status: Status.Running, tasksCompleted: 2 });
      expect(second).toMatchObject({ nextHistorySeq: 2, waiting: [{ seq: 3, event: bytes("w3") }] });
      expect(new Uint8Array(second!.history)).toEqual(framed("h0", "h1"));
    });

    test("results are summed over what has ended and has the prefix", () => {
      addEnded("run-1", 5, { tasksCompleted: 3 });
      addEnded("run-2", 6, { tasksCompleted: 4, status: Status.Failed });
      addEnded("run", 7, { tasksCompleted: 100 });
      addEnded("run-1", 8, { tasksCompleted: 1000, taskHub: "other" });
      const running = add({ instanceId: "run-3" });
      committed(store, () => {
        store.applyEpisode(running, episode({ tasksCompleted: 10_000 }));
      });
      const results = (instanceIdPrefix: string, over: Partial<EndedFilter> = {}): unknown =>
        store.resultsOfEnded({
          taskHub: "hub",
          instanceIdPrefix,
          afterInstanceId: "",
          completedToUs: Number.MAX_SAFE_INTEGER,
          ...over,
        });
      expect(results("run-")).toEqual({ sum: 7, next: undefined });
      expect(results("")).toEqual({ sum: 107, next: undefined });
      expect(results("nobody")).toEqual({ sum: 0, next: undefined });
      expect(results("run-", { completedToUs: 5 })).toEqual({ sum: 3, next: undefined });
      expect(results("run-", { afterInstanceId: "run-1" })).toEqual({ sum: 4, next: undefined });
    });

    test("the count is of the instances of all hubs, ended or not, and of those that are not deleted", () => {
      expect(store.instanceCount()).toBe(0);
      add({ instanceId: "a" });
      add({ instanceId: "b", taskHub: "other" });
      const ended = addEnded("c", 5);
      expect(store.instanceCount()).toBe(3);
      committed(store, () => store.deleteInstance(ended));
      expect(store.instanceCount()).toBe(2);
      committed(store, () => store.deleteInstance(ended));
      expect(store.instanceCount()).toBe(2);
    });

    test("the oldest to end are told first, over all hubs, up to a time and a limit", () => {
      const third = addEnded("third", 300);
      const first = addEnded("first", 100, { taskHub: "other" });
      const second = addEnded("second", 200, { status: Status.Failed });
      const fourth = addEnded("fourth", 300);
      add({ instanceId: "running" });
      expect(store.oldestEnded(1_000, 10)).toEqual([first, second, third, fourth]);
      expect(store.oldestEnded(1_000, 3)).toEqual([first, second, third]);
      expect(store.oldestEnded(200, 10)).toEqual([first, second]);
      expect(store.oldestEnded(99, 10)).toEqual([]);
    });

    test("space that nothing takes any more is told as free, and is gone when it is released", () => {
      const key = add({ input: new Uint8Array(1_000_000) });
      const full = store.space();
      committed(store, () => store.deleteInstance(key));
      const deleted = store.space();
      expect(deleted.bytes).toBe(full.bytes);
      expect(deleted.freeBytes - full.freeBytes).toBeGreaterThan(990_000);
      committed(store, () => store.releaseSpace(400_000));
      expect(deleted.bytes - store.space().bytes).toBeGreaterThanOrEqual(400_000);
      committed(store, () => store.releaseSpace(10_000_000));
      expect(store.space().freeBytes).toBe(0);
      expect(full.bytes - store.space().bytes).toBeGreaterThan(990_000);
      store.trim();
      expect(store.instanceCount()).toBe(0);
    });

    test("a rollback undoes everything since begin", () => {
      const kept = add({ instanceId: "kept", input: bytes("input") });
      const deleted = add({ instanceId: "deleted" });
      committed(store, () => {
        store.appendWaiting(kept, { seq: 1, event: bytes("waits") });
        store.appendWaiting(deleted, { seq: 1, event: bytes("deleted waits") });
      });
      const before = contents(store, [kept, deleted]);
      store.begin();
      const added = store.insertInstance(newInstance({ instanceId: "added" }))!;
      store.appendWaiting(added, { seq: 1, event: bytes("new") });
      store.appendWaiting(kept, { seq: 2, event: bytes("more") });
      store.applyEpisode(kept, episode({ processedSeq: 1, history: framed("past"), output: bytes("output") }));
      store.deleteInstance(deleted);
      expect(contents(store, [kept, deleted])).not.toEqual(before);
      store.rollback();
      expect(contents(store, [kept, deleted])).toEqual(before);
      store.begin();
      store.restart(kept, {
        executionId: "x",
        version: undefined,
        input: undefined,
        tasksCompleted: 1,
        updatedUs: 1,
        status: Status.Running,
        customStatus: bytes("x"),
        tags: [],
      });
      store.rollback();
      expect(contents(store, [kept, deleted])).toEqual(before);
    });

    test("a sync says when it is done, whether there was something to do or not", async () => {
      await synced(store);
      add();
      await synced(store);
      store.syncNow();
      expect(store.instanceCount()).toBe(1);
    });

    test("transactions go on while a sync is under way, and it may be waited for at once", async () => {
      add({ instanceId: "before" });
      const sync = synced(store);
      add({ instanceId: "meanwhile" });
      store.syncNow();
      expect(store.instanceCount()).toBe(2);
      await sync;
      await synced(store);
    });

    test("a rollback where nothing has begun does nothing", () => {
      add();
      store.rollback();
      expect(store.instanceCount()).toBe(1);
    });
  });
}

/** All pages of a read, each as how many rows it has. */
function pages<P>(read: (place: P | undefined) => Page<P>): { sizes: number[]; found: string[] } {
  const sizes: number[] = [];
  const found: string[] = [];
  let place: P | undefined;
  do {
    const { rows, next } = read(place);
    sizes.push(rows.length);
    found.push(...ids(rows));
    place = next;
  } while (place !== undefined);
  return { sizes, found };
}

export function committed<T>(store: Store, change: () => T): T {
  store.begin();
  const value = change();
  store.commit();
  return value;
}

/** Resolves when all that is committed now is on disk. */
function synced(store: Store): Promise<void> {
  return new Promise((resolve, reject) => {
    store.sync((error) => {
      if (error === undefined) resolve();
      else reject(error);
    });
  });
}

export function newInstance(over: Partial<NewInstance> = {}): NewInstance {
  const instance = {
    taskHub: "hub",
    instanceId: "one",
    executionId: "first",
    name: "Orchestrator",
    version: undefined,
    createdUs: 1_700_000_000_000_001,
    scheduledStartUs: 0,
    input: undefined,
    parentId: undefined,
    parent: undefined,
    tags: [],
    ...over,
    // An instance ends by an episode, never by its insertion.
    status: Status.Pending,
  };
  const { taskHub, instanceId, executionId, name, version, status, createdUs, scheduledStartUs, input } = instance;
  const { parentId, parent, tags } = instance;
  return {
    taskHub,
    instanceId,
    executionId,
    name,
    version,
    status,
    createdUs,
    scheduledStartUs,
    input,
    parentId,
    parent,
    tags,
  };
}

export function episode(over: Partial<EpisodeResult> = {}): EpisodeResult {
  return {
    processedSeq: 0,
    historySeq: 0,
    history: new Uint8Array(0),
    status: Status.Running,
    updatedUs: 1,
    completedUs: 0,
    output: undefined,
    customStatus: undefined,
    failure: undefined,
    tasksCompleted: 0,
    trace: undefined,
    ...over,
  };
}

function rowFilter(over: Partial<RowFilter> = {}): RowFilter {
  return {
    taskHub: "hub",
    instanceIdPrefix: "",
    statuses: [],
    createdFromUs: 0,
    createdToUs: 0,
    afterInstanceId: "",
    limit: 100,
    payloads: false,
    ...over,
  };
}

function completedFilter(over: Partial<CompletedFilter> = {}): CompletedFilter {
  return { taskHub: "hub", statuses: [], completedFromUs: 0, completedToUs: 0, after: undefined, limit: 100, ...over };
}

export function contents(store: Store, keys: readonly number[]): unknown {
  return {
    rows: store.query(rowFilter({ payloads: true })).rows,
    active: [...store.active()],
    events: keys.map((key) => eventTexts(store, key)),
    instances: store.instanceCount(),
  };
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function framed(...events: string[]): Uint8Array {
  return new Uint8Array(frame(PAST_EVENT, events.map(bytes)));
}

/** What happened to an instance, as its history and what waits tell it. */
export function eventTexts(store: Store, key: number): string[] {
  return [...store.history(key), ...store.waiting(key)].map((event) => Buffer.from(event).toString());
}

export function ids(rows: readonly InstanceRow[]): string[] {
  return rows.map(({ instanceId }) => instanceId);
}
