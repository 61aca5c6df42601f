import { beforeEach, expect, test } from "vitest";
import { Admission, activityWeight } from "../../../../src/emulator/dispatch/admission.js";
import { SendingMatcher, hold, homeless, type TestItem } from "../../../support/emulator/sending-matcher.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";
import { Worker, type WorkerOptions } from "../../../../src/emulator/dispatch/worker.js";

/** Activities of each orchestration but those that are named small. */
const WIDTH = 2_000;
const ANY = new Set<string>();

let time: VirtualTime;
let matcher: SendingMatcher;
let admission: Admission;
/** What workers were sent and have not answered. */
let held: { readonly name: string; readonly worker: Worker; readonly answer: () => void }[];
/** Instances in the order of their first episodes. */
let begun: string[];

beforeEach(() => {
  time = new VirtualTime();
  admission = new Admission(time);
  matcher = new SendingMatcher(time, admission);
  held = [];
  begun = [];
});

function addWorker(options: Partial<WorkerOptions> = {}): void {
  const stream = { write: () => true, end: () => {} };
  matcher.addWorker(new Worker({ id: "worker", stream, connectionItems: new Set(), ...options }));
  matcher.pump();
}

interface Origin {
  readonly orchestrator?: string;
  readonly activity?: string;
  readonly isChild?: boolean;
  readonly width?: number;
}

/** An instance that waits for its first episode, which asks for activities. */
function start(
  id: string,
  { orchestrator = "Large", activity = "work", isChild = false, width = WIDTH }: Origin = {},
): void {
  const instance = homeless();
  const task = (): TestItem => ({
    instance,
    kind: "activity",
    weight: activityWeight(0),
    work: { name: activity, version: "" },
    isOver: () => false,
    encode: (worker) => send("activity", id, worker, () => {}),
  });
  matcher.enqueue({
    instance,
    kind: "episode",
    weight: 0,
    newcomer: isChild ? "child" : "root",
    work: { name: orchestrator, version: "" },
    isOver: () => false,
    encode: (worker) => {
      begun.push(id);
      admission.begin(id, orchestrator);
      return send("episode", id, worker, () => {
        admission.learn(id, orchestrator, width);
        for (let n = 0; n < width; n += 1) matcher.enqueue(task());
      });
    },
  });
}

function send(kind: "episode" | "activity", name: string, worker: Worker, then: () => void): Uint8Array {
  const release = hold(worker, kind);
  const answer = (): void => {
    release();
    then();
  };
  held.push({ name, worker, answer });
  return Buffer.from(name);
}

/** Workers answer what they were sent first. */
function answer(count: number): void {
  for (let n = 0; n < count && held.length > 0; n += 1) {
    held.shift()!.answer();
    matcher.pump();
  }
}

const BUSY = { limits: { episode: 1, activity: 100 } };

test("of ten thousand large orchestrations so many begin as their activities keep the workers busy", () => {
  addWorker(BUSY);
  for (let n = 0; n < 10_000; n += 1) start(`${n}`);
  matcher.pump();
  let most = 0;
  for (let turn = 0; turn < 40; turn += 1) {
    answer(1_000);
    most = Math.max(most, matcher.countWaiting("activity"));
    expect(held.length, "workers have as much as they take").toBeGreaterThanOrEqual(100);
  }
  expect(most).toBeLessThan(10_000 + WIDTH);
  expect(begun.length).toBeLessThan(100);
});

test("a small orchestration that comes late begins among the next, and the first to come are not forgotten", () => {
  addWorker(BUSY);
  for (let n = 0; n < 10_000; n += 1) start(`${n}`);
  matcher.pump();
  answer(20_000);
  const before = begun.length;
  start("late", { width: 1 });
  for (let n = 0; begun.length < before + 9; n += 1) answer(100);
  expect(begun.slice(before, before + 5)).toContain("late");
  expect(
    begun.slice(before).filter((id) => Number(id) < 100),
    "of the oldest",
  ).not.toEqual([]);
});

test("orchestrators take turns where instances have to wait", () => {
  addWorker(BUSY);
  for (let n = 0; n < 1_000; n += 1) start(`${n}`);
  matcher.pump();
  answer(20_000);
  const before = begun.length;
  start("other", { orchestrator: "Other", width: 1 });
  for (let n = 0; n < 1_000; n += 1) start(`later ${n}`);
  while (begun.length === before) answer(100);
  expect(begun[before]).toBe("other");
});

test("sub-orchestrations begin before others that wait", () => {
  addWorker(BUSY);
  for (let n = 0; n < 1_000; n += 1) start(`${n}`);
  matcher.pump();
  answer(20_000);
  const before = begun.length;
  for (let n = 0; n < 4; n += 1) start(`child ${n}`, { isChild: true });
  while (begun.length < before + 8) answer(100);
  expect(begun.slice(before, before + 8).filter((id) => id.startsWith("child"))).toHaveLength(4);
});

test("instances begin in their order where none has to wait for others", () => {
  for (let n = 0; n < 200; n += 1) start(`${n}`, { width: 1, isChild: n % 3 === 0 });
  addWorker();
  expect(begun).toHaveLength(10);
  answer(1);
  expect(begun).toEqual(Array.from({ length: 200 }, (_, n) => `${n}`));
});

test("activities that no worker takes keep nobody from beginning", () => {
  const filters = {
    episode: new Map([
      ["Large", ANY],
      ["Small", ANY],
    ]),
    activity: new Map([["work", ANY]]),
  };
  addWorker({ filters, limits: { episode: 1 } });
  for (let n = 0; n < 10; n += 1) start(`${n}`, { activity: "hosted by nobody" });
  start("after", { orchestrator: "Small", width: 1 });
  matcher.pump();
  answer(100);
  expect(begun).toContain("after");
  expect(begun).toHaveLength(11);
});

test("an instance begins after some seconds, whatever waits: an activity may wait for it", () => {
  addWorker(BUSY);
  for (let n = 0; n < 20; n += 1) start(`${n}`);
  matcher.pump();
  while (matcher.countWaiting("activity") < 10_000) answer(100);
  const before = begun.length;
  time.advance(2_000);
  expect(begun).toHaveLength(before);
  time.advance(2_000);
  expect(begun).toHaveLength(before + 1);
});

test("what is expected of an orchestrator follows what its instances show", () => {
  const mostUnderWay = (): number => {
    const other = new Admission(time);
    for (let n = 0; n < learned.length; n += 1) other.learn(`${n}`, "Any", learned[n]!);
    let count = 0;
    for (; other.isOpen(0) && count < 10_000; count += 1) other.begin(`${count}`, "Any");
    return count;
  };
  const learned: number[] = [];
  expect(mostUnderWay()).toBe(10);
  learned.push(2_000);
  expect(mostUnderWay()).toBe(5);
  for (let n = 0; n < 12; n += 1) learned.push(0);
  expect(mostUnderWay()).toBe(10_000);
});

test("workers that do not answer keep others from beginning for a second at most", () => {
  addWorker();
  for (let n = 0; n < 100; n += 1) start(`${n}`);
  matcher.pump();
  expect(begun).toHaveLength(10);
  time.advance(1_000);
  expect(begun).toHaveLength(20);
});
