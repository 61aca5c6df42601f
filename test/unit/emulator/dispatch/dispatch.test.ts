import { beforeEach, describe, expect, test } from "vitest";
import { Clock } from "../../../../src/emulator/clock/clock.js";
import { PAST_EVENT, frame } from "../../../../src/protocol/event-frames.js";
import { taskCompleted, taskScheduled, timerFired } from "../../../../src/protocol/history-event.js";
import { HoldPolicy } from "../../../../src/emulator/dispatch/hold-policy.js";
import { Dispatch } from "../../../../src/emulator/dispatch/dispatch.js";
import { WaitingBytes } from "../../../../src/emulator/instance/waiting-bytes.js";
import { DispatchedInstance } from "../../../../src/emulator/dispatch/dispatched-instance.js";
import { Orchestration, applyActions } from "../../../../src/emulator/instance/orchestration.js";
import { Status } from "../../../../src/protocol/orchestration-status.js";
import { Worker } from "../../../../src/emulator/dispatch/worker.js";
import { pb } from "../../../../src/protocol/sidecar-stubs.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";
import { newInstance } from "../../../support/emulator/store-contract.js";

const NOW_US = 1_764_000_000_000_000;

const NOTHING = applyActions(new Orchestration(), [], { nowUs: NOW_US, executionId: "" });

let time: VirtualTime;
let dispatch: Dispatch;
/** The results that each episode sent so far took along, by task id. */
let episodes: number[][];
let tokens: number;

beforeEach(() => {
  time = new VirtualTime(NOW_US / 1000);
  tokens = 0;
  dispatch = new Dispatch({ clock: new Clock(time), newToken: () => `token-${(tokens += 1)}` });
  episodes = [];
  const write = (item: Uint8Array): boolean => {
    const events = pb.WorkItem.deserializeBinary(item).getOrchestratorrequest()!.getNeweventsList();
    episodes.push(events.flatMap((event) => event.getTaskcompleted()?.getTaskscheduledid() ?? []));
    return true;
  };
  dispatch.addWorker(new Worker({ id: "worker", stream: { write, end: () => {} }, connectionItems: new Set() }));
});

/** A running instance that waits for so many activities, with ids from 1. */
function waitingFor(tasks: number): DispatchedInstance {
  const task = { name: "Activity", version: undefined, input: undefined, traceContext: undefined, tags: [] };
  const events = Array.from({ length: tasks }, (_, n) => taskScheduled(n + 1, task, NOW_US));
  const row = { ...newInstance(), key: 1, tasksCompleted: 0, trace: undefined, status: Status.Running };
  const instance = new DispatchedInstance(
    { row, history: frame(PAST_EVENT, events), nextHistorySeq: 1, waiting: [] },
    new WaitingBytes(),
  );
  dispatch.add(instance);
  return instance;
}

function complete(instance: DispatchedInstance, taskId: number): void {
  instance.state.completeTask(taskId, true);
  instance.receive(taskCompleted(taskId, undefined, NOW_US));
  look(instance);
}

/** What it has received is on disk. */
function look(instance: DispatchedInstance): void {
  dispatch.settle(instance, instance.lastSeq);
  dispatch.pump();
}

/** Ends the episode that is with the worker, as one that yielded something or nothing. */
function endEpisode(instance: DispatchedInstance, fruitful: boolean): void {
  const lease = dispatch.complete(`token-${tokens}`, "episode");
  instance.takeWaiting(lease.eventCount, lease.resultCount);
  instance.dispatch.settle();
  dispatch.learn(lease, { ...NOTHING, events: fruitful ? [new Uint8Array(1)] : [] });
  look(instance);
}

describe("results of activities", () => {
  test("are held for others that come soon, then taken in together", () => {
    const instance = waitingFor(5);
    complete(instance, 1);
    complete(instance, 2);
    expect(episodes).toEqual([]);
    time.advance(HoldPolicy.initialMs);
    expect(episodes).toEqual([[1, 2]]);
  });

  test("are held from the first of them on, however many come", () => {
    const instance = waitingFor(5);
    for (const taskId of [1, 2, 3]) {
      complete(instance, taskId);
      time.advance(HoldPolicy.initialMs / 2);
    }
    expect(episodes[0]).toEqual([1, 2]);
  });

  test("are taken in at once when they are the last", () => {
    const instance = waitingFor(2);
    complete(instance, 1);
    complete(instance, 2);
    expect(episodes).toEqual([[1, 2]]);
  });

  test("are taken in at once when something comes that does not wait", () => {
    const instance = waitingFor(3);
    complete(instance, 1);
    instance.receive(timerFired(9, NOW_US, NOW_US));
    look(instance);
    expect(episodes).toEqual([[1]]);
    // What comes while the episode is with its worker is held again behind it.
    complete(instance, 2);
    endEpisode(instance, true);
    expect(episodes).toEqual([[1]]);
    time.advance(HoldPolicy.initialMs);
    expect(episodes).toEqual([[1], [2]]);
  });

  test("are held longer after an episode that yielded nothing", () => {
    const instance = waitingFor(4);
    complete(instance, 1);
    time.advance(HoldPolicy.initialMs);
    endEpisode(instance, false);
    complete(instance, 2);
    time.advance(HoldPolicy.initialMs);
    expect(episodes).toEqual([[1]]);
    time.advance(HoldPolicy.initialMs);
    expect(episodes).toEqual([[1], [2]]);
  });

  test("are not held any more once an episode with some of them yielded something", () => {
    const instance = waitingFor(4);
    complete(instance, 1);
    time.advance(HoldPolicy.initialMs);
    endEpisode(instance, true);
    complete(instance, 2);
    expect(episodes).toEqual([[1], [2]]);
  });
});

test("an instance has one episode at a time", () => {
  const instance = waitingFor(2);
  complete(instance, 1);
  complete(instance, 2);
  instance.receive(timerFired(9, NOW_US, NOW_US));
  look(instance);
  time.advance(1_000);
  expect(episodes).toHaveLength(1);
  endEpisode(instance, true);
  expect(episodes).toEqual([[1, 2], []]);
});

test("an instance that was stopped is left alone, held results and all", () => {
  const instance = waitingFor(2);
  complete(instance, 1);
  instance.stop();
  time.advance(1_000);
  look(instance);
  expect(episodes).toEqual([]);
  expect(time.timerCount).toBe(0);
});
