import { describe, expect, test } from "vitest";
import { Worker, type WorkerOptions } from "../../../../src/emulator/dispatch/worker.js";
import {
  SendingMatcher,
  hold,
  homeless,
  releaseOne,
  type TestItem,
} from "../../../support/emulator/sending-matcher.js";

/** A worker and what it was sent; its stream takes `room` items, then wants no more. */
interface NotingWorker {
  readonly worker: Worker;
  readonly sent: string[];
  room: number;
}

function worker(id: string, room = Infinity, takes: Partial<WorkerOptions> = {}): NotingWorker {
  const state: NotingWorker = {
    sent: [],
    room,
    worker: new Worker({
      id,
      stream: {
        write: (item) => {
          state.sent.push(Buffer.from(item).toString());
          state.room -= 1;
          return state.room > 0;
        },
        end: () => {},
      },
      connectionItems: new Set(),
      ...takes,
    }),
  };
  return state;
}

/** An item that counts as in flight once it is sent, as a leased one does. */
function item(name: string, instance = homeless(), over: Partial<TestItem> = {}): TestItem {
  const { kind = "activity" } = over;
  return {
    instance,
    kind,
    weight: 1,
    work: { name: "work", version: "" },
    isOver: () => false,
    encode: (worker) => {
      hold(worker, kind);
      return Buffer.from(name);
    },
    ...over,
  };
}

/** What a worker does that takes these activities alone, of any version. */
function onlyActivities(...names: string[]): Partial<WorkerOptions> {
  return { filters: { episode: new Map(), activity: new Map(names.map((name) => [name, new Set()])) } };
}

function named(name: string, id = name): TestItem {
  return item(id, undefined, { work: { name, version: "" } });
}

function matcherWith(...workers: { worker: Worker }[]): SendingMatcher {
  const matcher = new SendingMatcher();
  for (const { worker } of workers) matcher.addWorker(worker);

  return matcher;
}

function dispatch(matcher: SendingMatcher, ...items: TestItem[]): void {
  for (const item of items) matcher.enqueue(item);

  matcher.pump();
}

test("items wait until there is a worker, and are sent in order", () => {
  const matcher = new SendingMatcher();
  dispatch(matcher, item("1"), item("2"), item("3"));
  const first = worker("first");
  matcher.addWorker(first.worker);
  matcher.pump();
  expect(first.sent).toEqual(["1", "2", "3"]);
});

test("an item that nothing is left to do for is not sent", () => {
  const only = worker("only");
  dispatch(matcherWith(only), item("ended", undefined, { isOver: () => true }), item("next"));
  expect(only.sent).toEqual(["next"]);
});

test("all items of an instance go to its home worker", () => {
  const [first, second] = [worker("first"), worker("second")];
  const matcher = matcherWith(first, second);
  const instance = homeless();
  for (let n = 0; n < 20; n += 1) dispatch(matcher, item(`${n}`, instance));

  expect([first.sent.length, second.sent.length]).toEqual([20, 0]);
  expect(instance.dispatch.home).toBe(first.worker);
});

test("homes are spread evenly: by instances first, by load where those are equal", () => {
  const [first, second, third] = [worker("first"), worker("second"), worker("third")];
  const matcher = matcherWith(first, second, third);
  for (let n = 0; n < 10; n += 1) hold(first.worker, "activity");
  for (let n = 0; n < 5; n += 1) hold(second.worker, "activity");
  for (let n = 0; n < 20; n += 1) hold(third.worker, "activity");
  const instances = Array.from({ length: 6 }, homeless);
  dispatch(matcher, ...instances.map((instance, n) => item(`${n}`, instance)));
  expect(instances.map(({ dispatch }) => dispatch.home?.id)).toEqual([
    "second",
    "first",
    "third",
    "second",
    "first",
    "third",
  ]);
});

test("an instance that has ended makes room for another at its home", () => {
  const [first, second] = [worker("first"), worker("second")];
  const matcher = matcherWith(first, second);
  const instance = homeless();
  dispatch(matcher, item("a", instance));
  dispatch(matcher, item("b"));
  instance.dispatch.leaveHome();
  dispatch(matcher, item("c"));
  expect([first.sent, second.sent]).toEqual([["a", "c"], ["b"]]);
  expect([first.worker.homed, second.worker.homed]).toEqual([1, 1]);
  instance.dispatch.leaveHome();
  expect(first.worker.homed).toBe(1);
});

test("items leave their home only when another worker is 128 items better off", () => {
  const [first, second] = [worker("first"), worker("second")];
  const matcher = matcherWith(first, second);
  const instance = homeless();
  const items = Array.from({ length: 300 }, (_, n) => item(`${n}`, instance));
  dispatch(matcher, ...items.slice(0, 128));
  expect([first.sent.length, second.sent.length]).toEqual([128, 0]);
  dispatch(matcher, ...items.slice(128));
  expect(first.sent.length + second.sent.length).toBe(300);
  expect(first.worker.load - second.worker.load).toBeLessThanOrEqual(128);
  expect(first.worker.load).toBeGreaterThan(second.worker.load);
  expect(instance.dispatch.home).toBe(first.worker);
});

test("a worker with a full stream gets its items later, in order", () => {
  const slow = worker("slow", 2);
  const matcher = matcherWith(slow);
  dispatch(matcher, item("1"), item("2"), item("3"), item("4"), item("5"));
  expect(slow.sent).toEqual(["1", "2"]);
  expect([slow.worker.hasRoomFor("activity"), slow.worker.load]).toEqual([false, 2]);
  slow.room = 2;
  matcher.unblock(slow.worker);
  expect(slow.sent).toEqual(["1", "2", "3", "4"]);
  expect(slow.worker.hasRoomFor("activity")).toBe(false);
  dispatch(matcher, item("6"));
  slow.room = Infinity;
  matcher.unblock(slow.worker);
  expect(slow.sent).toEqual(["1", "2", "3", "4", "5", "6"]);
  expect([slow.worker.hasRoomFor("activity"), slow.worker.load]).toEqual([true, 6]);
});

test("a full stream keeps no other worker waiting", () => {
  const [slow, free] = [worker("slow", 1), worker("free")];
  const matcher = matcherWith(slow, free);
  dispatch(matcher, item("1"), item("2"), item("3"), item("4"));
  expect([slow.sent, free.sent]).toEqual([["1"], ["2", "3", "4"]]);
});

test("what a worker was not sent goes to the others when it leaves", () => {
  const [slow, free] = [worker("slow", 1), worker("free")];
  const matcher = matcherWith(slow);
  const instance = homeless();
  dispatch(matcher, item("1", instance), item("2", instance), item("3", instance));
  matcher.enqueue(item("4"));
  matcher.addWorker(free.worker);
  matcher.removeWorker(slow.worker);
  matcher.pump();
  expect(slow.sent).toEqual(["1"]);
  expect(free.sent).toEqual(["2", "3", "4"]);
  expect(instance.dispatch.home).toBe(free.worker);
  expect([slow.worker.homed, slow.worker.load]).toEqual([0, 1]);
});

test("a worker that leaves twice loses nothing twice", () => {
  const [slow, free] = [worker("slow", 1), worker("free")];
  const matcher = matcherWith(slow);
  dispatch(matcher, item("1"), item("2"));
  matcher.removeWorker(slow.worker);
  matcher.removeWorker(slow.worker);
  matcher.unblock(slow.worker);
  matcher.addWorker(free.worker);
  matcher.pump();
  expect([slow.sent, free.sent]).toEqual([["1"], ["2"]]);
});

test("clear forgets all that was not sent", () => {
  const slow = worker("slow", 1);
  const matcher = matcherWith(slow);
  dispatch(matcher, item("1"), item("2"));
  matcher.enqueue(item("3"));
  matcher.clear();
  slow.room = Infinity;
  matcher.unblock(slow.worker);
  matcher.pump();
  expect(slow.sent).toEqual(["1"]);
});

describe("a worker that does not take everything", () => {
  test("is sent what it takes, and the rest goes to others, in order", () => {
    const [some, all] = [worker("some", Infinity, onlyActivities("a")), worker("all")];
    const matcher = matcherWith(some);
    dispatch(matcher, named("b", "b1"), named("a", "a1"), named("b", "b2"), named("a", "a2"));
    expect(some.sent).toEqual(["a1", "a2"]);
    matcher.addWorker(all.worker);
    matcher.pump();
    expect(all.sent).toEqual(["b1", "b2"]);
  });

  test("leaves behind, when it goes, no work that waits", () => {
    const [some, all] = [worker("some", Infinity, onlyActivities("a")), worker("all")];
    const matcher = matcherWith(some);
    dispatch(matcher, named("b"));
    matcher.removeWorker(some.worker);
    matcher.addWorker(all.worker);
    dispatch(matcher, named("c"));
    expect(all.sent).toEqual(["b", "c"]);
  });

  test("is told apart by name and version, however they are put together", () => {
    const filters = { episode: new Map(), activity: new Map([["a b", new Set(["c"])]]) };
    const some = worker("some", Infinity, { filters });
    const works = [
      { name: "a", version: "b c" },
      { name: "a b", version: "c" },
    ];
    dispatch(matcherWith(some), ...works.map((work) => item(work.name, undefined, { work })));
    expect(some.sent).toEqual(["a b"]);
  });

  test("gets what has waited longest first, of whatever name it is", () => {
    const one = worker("one", Infinity, { limits: { activity: 1 } });
    const matcher = matcherWith(one);
    dispatch(matcher, ...["often", "often", "rare", "often"].map((name) => named(name)));
    for (let n = 0; n < 4; n += 1) {
      releaseOne(one.worker);
      dispatch(matcher, named("often"));
    }
    expect(one.sent).toEqual(["often", "often", "rare", "often", "often"]);
  });

  test("is not asked about each of ten thousand items that wait whenever one could be sent", () => {
    let looks = 0;
    const work = {
      get name() {
        looks += 1;
        return "work";
      },
      version: "",
    };
    const one = worker("one", Infinity, { ...onlyActivities("work"), limits: { activity: 1 } });
    const matcher = matcherWith(one);
    dispatch(matcher, ...Array.from({ length: 10_000 }, (_, n) => item(`${n}`, undefined, { work })));
    looks = 0;
    for (let n = 0; n < 100; n += 1) matcher.pump();
    expect(looks).toBeLessThanOrEqual(200);
    expect(one.sent).toEqual(["0"]);
  });

  test("has its items wait for another that takes them while its stream is full", () => {
    const [slow, free] = [worker("slow", 1, { limits: { activity: 10 } }), worker("free", Infinity, onlyActivities())];
    const matcher = matcherWith(slow, free);
    dispatch(matcher, item("1"), item("2"), item("3"));
    expect([slow.sent, slow.worker.load]).toEqual([["1"], 1]);
    slow.room = Infinity;
    matcher.unblock(slow.worker);
    expect(slow.sent).toEqual(["1", "2", "3"]);
  });
});

test("what a worker with a full stream was not sent keeps its place when the worker leaves", () => {
  const [slow, some, all] = [worker("slow", 1), worker("some", Infinity, onlyActivities()), worker("all")];
  const matcher = matcherWith(slow);
  dispatch(matcher, item("1"), item("2"), item("3"));
  matcher.addWorker(some.worker);
  dispatch(matcher, item("4"));
  matcher.removeWorker(slow.worker);
  matcher.addWorker(all.worker);
  matcher.pump();
  expect([slow.sent, all.sent]).toEqual([["1"], ["2", "3", "4"]]);
});

test("an item that was refused goes to a worker that has not refused it, and to one that has if there is no other", () => {
  const [first, second] = [worker("first"), worker("second")];
  const matcher = matcherWith(first, second);
  const instance = homeless();
  dispatch(matcher, item("1", instance));
  dispatch(matcher, item("2", instance, { refusedBy: new Set([first.worker]) }));
  dispatch(matcher, item("3", instance, { refusedBy: new Set([first.worker, second.worker]) }));
  expect([first.sent, second.sent]).toEqual([["1", "3"], ["2"]]);
});

test("an instance that has ended counts for no worker's home", () => {
  const one = worker("one");
  const two = worker("two");
  const matcher = matcherWith(one, two);
  matcher.enqueue(item("late", { ...homeless(), ended: true }));
  matcher.pump();
  expect([one.sent, two.sent]).toEqual([["late"], []]);
  expect([one.worker.homed, two.worker.homed]).toEqual([0, 0]);
});

test.each([
  ["no worker is there", []],
  ["no worker takes it", [worker("filtered", Infinity, onlyActivities("another"))]],
])("what has nothing to do any more is not kept while %s", (_, present) => {
  const matcher = matcherWith(...present);
  let looks = 0;
  const counted = (name: string, isOver: boolean): TestItem =>
    item(name, undefined, {
      isOver: () => {
        looks += 1;
        return isOver;
      },
    });
  for (let n = 1; n <= 10_000; n += 1) {
    matcher.enqueue(counted(`${n}`, n % 100 > 0));
    matcher.pump();
  }
  looks = 0;
  const any = worker("any");
  matcher.addWorker(any.worker);
  matcher.pump();
  expect(any.sent).toHaveLength(100);
  expect(looks).toBeLessThan(2_000);
});

describe("instances take turns", () => {
  test("so that one with thousands of activities lets those of one that comes later pass", () => {
    const one = worker("one", Infinity, { limits: { activity: 1 } });
    const matcher = matcherWith(one);
    const [large, small] = [homeless(), homeless()];
    dispatch(matcher, ...Array.from({ length: 5_000 }, (_, n) => item(`large ${n}`, large)));
    const next = (): string | undefined => {
      releaseOne(one.worker);
      matcher.pump();
      return one.sent.at(-1);
    };
    for (let n = 1; n < 1_000; n += 1) next();
    dispatch(matcher, item("small 0", small), item("small 1", small));
    // The turn that follows is the large one's and the small one's, a hundred activities each at most.
    expect(Array.from({ length: 103 }, next).slice(99)).toEqual(["large 1099", "small 0", "small 1", "large 1100"]);
  });

  test("and share a worker's room alike, however many activities each has", () => {
    const one = worker("one", Infinity, { limits: { activity: 700 } });
    const counts = [10_000, 1_000, 100];
    const items = counts.map((count, index) => {
      const instance = homeless();
      return Array.from({ length: count }, () => item(`${index}`, instance));
    });
    dispatch(matcherWith(one), ...items.flat());
    expect(counts.map((_, index) => one.sent.filter((id) => id === `${index}`).length)).toEqual([300, 300, 100]);
  });

  test("of a hundred activities, so that a fan-out that is no wider is sent whole, in the order in which it came", () => {
    const one = worker("one", Infinity, { limits: { activity: 130 } });
    const items = [homeless(), homeless()].flatMap((instance, index) =>
      Array.from({ length: 100 }, () => item(`${index}`, instance)),
    );
    dispatch(matcherWith(one), ...items);
    expect(one.sent).toEqual([...Array.from({ length: 100 }, () => "0"), ...Array.from({ length: 30 }, () => "1")]);
  });
});

test("items wait for a home that has no room while others are as busy, and leave it for one that is idle", () => {
  const [first, second] = [
    worker("first", Infinity, { limits: { activity: 1 } }),
    worker("second", Infinity, { limits: { activity: 1 } }),
  ];
  const matcher = matcherWith(first, second);
  const [one, other] = [homeless(), homeless()];
  dispatch(matcher, item("a1", one), item("b1", other));
  dispatch(matcher, item("a2", one), item("b2", other), item("a3", one));
  expect([first.sent, second.sent]).toEqual([["a1"], ["b1"]]);
  releaseOne(second.worker);
  matcher.pump();
  releaseOne(second.worker);
  matcher.pump();
  expect([first.sent, second.sent]).toEqual([["a1"], ["b1", "b2", "a2"]]);
  expect(one.dispatch.home).toBe(first.worker);
});

test("a worker holds 64 MiB at most, and one item more, whatever its limits", () => {
  const one = worker("one", Infinity, { limits: { activity: 1_000_000 } });
  const matcher = matcherWith(one);
  const large = Array.from({ length: 3 }, () =>
    item("large", undefined, {
      encode: (worker) => {
        hold(worker, "activity", 40 * 1024 * 1024);
        return Buffer.from("large");
      },
    }),
  );
  dispatch(matcher, ...large);
  expect(one.sent).toHaveLength(2);
  releaseOne(one.worker);
  matcher.pump();
  expect(one.sent).toHaveLength(3);
});

test("a worker that names no limit holds 10,000 of a kind", () => {
  const one = worker("one");
  dispatch(matcherWith(one), ...Array.from({ length: 10_001 }, (_, n) => item(`${n}`)));
  expect(one.sent).toHaveLength(10_000);
});
