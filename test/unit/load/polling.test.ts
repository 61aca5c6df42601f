import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import type { InstanceState } from "../../../src/backend/orchestration-client.js";
import { FanoutError } from "../../../src/errors.js";
import { CompletionWatch } from "../../../src/load/completion-watch.js";
import { instanceIdOf } from "../../../src/plan/run-id.js";
import { fakeClient } from "../../support/load/fake-backend.js";
import { FakeHub, rpcError } from "../../support/load/fake-hub.js";
import { VirtualTime } from "../../support/load/virtual-time.js";

const RUN = "r0123456789ab";
const WAITS = 200;
const HOUR_MS = 3_600_000;

type Fate = InstanceState | undefined | Error;

/** A watch whose waiting calls are all taken, and how those went that it polls for. */
function polling(before?: (time: VirtualTime, name: string, instanceId?: string) => void | Promise<void>) {
  const time = new VirtualTime();
  const stop = new AbortController();
  const hub = new FakeHub(time.clock, (name, instanceId) => before?.(time, name, instanceId));
  const { clock, wait } = time;
  const watch = new CompletionWatch({ client: hub.client(), runId: RUN, clock, wait, signal: stop.signal });
  const fates = new Map<string, Fate>();
  let number = 0;
  const add = (): string => {
    const id = instanceIdOf(RUN, (number += 1));
    hub.start(id);
    watch.untilEnded(id).then(
      (state) => fates.set(id, state),
      (error: Error) => fates.set(id, error),
    );
    return id;
  };
  for (let waits = 0; waits < WAITS; waits += 1) add();
  return { time, hub, watch, fates, add, stop };
}

/** From one time to the next. */
function gaps(times: readonly number[]): readonly number[] {
  return times.slice(1).map((ms, index) => ms - times[index]!);
}

describe("the pause between polls", () => {
  test("doubles up to a second while nothing ends, and is short again when something has", async () => {
    const { time, hub, add } = polling();
    add();
    const id = add();
    await time.runUntil(4_000);
    hub.end(id);
    await time.runUntil(5_000);
    const polls = hub.callsOf("ListInstanceIds");
    expect(polls.slice(0, 7)).toEqual([100, 300, 700, 1_500, 2_500, 3_500, 4_500]);
    expect(polls[7]).toBe(4_600);
  });

  test("is as long as the poll, so that at most half of the time is spent in polls", async () => {
    const { time, hub, add } = polling((time, name) => (name === "ListInstanceIds" ? time.after(3_000) : undefined));
    add();
    await time.runUntil(20_000);
    expect(gaps(hub.callsOf("ListInstanceIds"))).toEqual([6_000, 6_000, 6_000]);
  });

  test("does not count the time for reading found instances", async () => {
    let slow = false;
    const { time, hub, add } = polling((time, name) =>
      slow && name === "GetInstance" ? time.after(3_000) : undefined,
    );
    add();
    await time.runUntil(200);
    slow = true;
    hub.end(add());
    await time.runUntil(3_500);
    expect(hub.callsOf("ListInstanceIds")).toEqual([100, 300, 3_400]);
  });

  test("is not taken where nothing is open", async () => {
    const { time, hub, add } = polling();
    const id = add();
    hub.end(id);
    await time.runUntil(10_000);
    expect(hub.calls.length).toBe(2);
    hub.end(add());
    await time.runUntil(20_000);
    expect(hub.calls.at(-1)).toEqual({ name: "ListInstanceIds", atMs: 10_100 });
  });
});

describe("an error", () => {
  test.each([
    ["UNAVAILABLE", rpcError(status.UNAVAILABLE)],
    ["a backend that is away", new FanoutError("backend-unreachable", "away")],
  ])("of %s has the poll made again after a second, by the same way", async (_, error) => {
    let away = true;
    const { time, hub, fates, add } = polling((_, name) => {
      if (away && name === "ListInstanceIds") throw error;
    });
    const id = add();
    await time.runUntil(1_500);
    away = false;
    hub.end(id);
    await time.runUntil(3_500);
    expect(hub.callsOf("ListInstanceIds")).toEqual([100, 1_100, 2_100]);
    expect(fates.get(id)).toMatchObject({ status: "Completed" });
  });

  test("of one instance alone is that instance's", async () => {
    const { time, hub, fates, add } = polling((_, name, instanceId) => {
      if (name === "GetInstance" && instanceId === refused) throw rpcError(status.PERMISSION_DENIED);
    });
    add();
    const refused = add();
    const other = add();
    hub.end(refused);
    hub.end(other);
    await time.runUntil(1_000);
    expect(fates.get(refused)).toMatchObject({ code: status.PERMISSION_DENIED });
    expect(fates.get(other)).toMatchObject({ status: "Completed" });
    expect(fates.size).toBe(2);
  });

  test("of every GetInstance ends the waiting for all", async () => {
    const { time, fates, add } = polling(() => {
      throw rpcError(status.PERMISSION_DENIED);
    });
    const ids = [add(), add()];
    await time.runUntil(5_000);
    expect(ids.map((id) => fates.get(id))).toMatchObject(ids.map(() => ({ code: status.PERMISSION_DENIED })));
  });

  test.each([
    [status.UNIMPLEMENTED, 1],
    [status.INVALID_ARGUMENT, 1],
    [status.INTERNAL, 3],
  ])("with the code %d, %d times, changes to the next way for good", async (code, times) => {
    const { time, hub, fates, add } = polling((_, name) => {
      if (name === "ListInstanceIds") throw rpcError(code);
    });
    const id = add();
    await time.runUntil(5_000);
    hub.end(id);
    await time.runUntil(10_000);
    expect(fates.get(id)).toMatchObject({ status: "Completed" });
    add();
    await time.runUntil(20_000);
    expect(hub.callsOf("ListInstanceIds")).toHaveLength(times);
  });

  test("of a way that has worked does not change the way", async () => {
    let broken = false;
    const { time, hub, add } = polling((_, name) => {
      if (broken && name === "ListInstanceIds") throw rpcError(status.INTERNAL);
    });
    add();
    await time.runUntil(1_000);
    broken = true;
    await time.runUntil(60_000);
    expect(hub.callsOf("QueryInstances")).toEqual([]);
  });
});

test("an instance that the backend does not know is gone, also where there is no other to learn the time from", async () => {
  const { time, hub, fates, watch } = polling();
  const unknown = instanceIdOf(RUN, 5_000);
  void watch.untilEnded(unknown).then((state) => fates.set(unknown, state));
  await time.runUntil(1_000);
  expect([...fates]).toEqual([[unknown, undefined]]);
  expect(hub.calls).toEqual([{ name: "GetInstance", instanceId: unknown, atMs: 100 }]);
});

describe("an end that a poll has missed", () => {
  test("because the backend's clock was set back is found, and later ends are not missed", async () => {
    const { time, hub, fates, add } = polling();
    add();
    hub.end(add());
    await time.runUntil(1_000);
    hub.aheadMs = -HOUR_MS;
    const missed = add();
    hub.end(missed);
    await time.runUntil(30_000);
    expect(fates.get(missed)).toMatchObject({ status: "Completed" });
    const next = add();
    await time.runUntil(32_000);
    hub.end(next);
    await time.runUntil(34_000);
    expect(fates.get(next)).toMatchObject({ status: "Completed" });
    expect(hub.callsOf("QueryInstances")).toEqual([]);
  });

  test("because the call reports nothing is found in another way", async () => {
    const { time, hub, fates, add } = polling();
    const deaf = { listInstanceIds: () => Promise.resolve({ instanceIds: [], lastInstanceKey: undefined }) };
    const { clock, wait } = time;
    const watch = new CompletionWatch({
      client: { ...hub.client(), ...deaf },
      runId: RUN,
      clock,
      wait,
      signal: new AbortController().signal,
    });
    for (let number = 0; number < WAITS + 500; number += 1) {
      const id = instanceIdOf(RUN, 10_000 + number);
      hub.start(id);
      void watch.untilEnded(id).then((state) => fates.set(id, state));
      if (number >= WAITS) hub.end(id);
    }
    add();
    await time.runUntil(60_000);
    expect(fates.size).toBe(500);
    expect(hub.callsOf("QueryInstances").length).toBeGreaterThan(0);
  });

  test("is looked for among a hundred instances at a time, the others in turn", async () => {
    const { time, hub, add } = polling();
    const ids = Array.from({ length: 250 }, add);
    // The tenth poll is at 7.5 s, and by then there is a poll each second.
    await time.runUntil(30_000);
    const asked = hub.calls.filter(({ name }) => name === "GetInstance");
    const [begin, ...checked] = asked.map(({ instanceId }) => instanceId);
    expect(begin).toBe(ids[0]);
    expect(checked).toEqual([...ids, ...ids].slice(0, 300));
    expect(new Set(asked.map(({ atMs }) => atMs))).toEqual(new Set([100, 7_500, 17_500, 27_500]));
  });
});

describe("the signal", () => {
  test("ends the waiting for all with its reason, and every call", async () => {
    const { time, hub, fates, add, stop, watch } = polling();
    const ids = [add(), add()];
    await time.runUntil(500);
    const reason = new Error("the run is over");
    stop.abort(reason);
    await time.runUntil(60_000);
    expect(fates.size).toBe(WAITS + 2);
    expect(ids.map((id) => fates.get(id))).toEqual([reason, reason]);
    expect(hub.calls.every(({ atMs }) => atMs <= 500)).toBe(true);
    await expect(watch.untilEnded("late")).rejects.toBe(reason);
  });
});

test("100,000 open instances cost a call for each that ends, and few besides", async () => {
  const { time, hub, fates, add } = polling();
  const ids = Array.from({ length: 100_000 }, add);
  for (const id of ids.slice(0, 1_000)) hub.end(id);
  await time.runUntil(1_000);
  expect(fates.size).toBe(1_000);
  expect(hub.calls.length).toBeLessThan(1_020);
});

/** A watch whose waiting calls are answered so in turn: with an error, or that the instance is gone. */
function waitFor(...answers: readonly (Error | undefined)[]) {
  const time = new VirtualTime();
  const { clock, wait } = time;
  const left = [...answers];
  const waitForCompletion = (): Promise<undefined> => {
    const answer = left.shift();
    return answer ? Promise.reject(answer) : Promise.resolve(undefined);
  };
  const { signal } = new AbortController();
  const watch = new CompletionWatch({ client: fakeClient({ waitForCompletion }), runId: RUN, clock, wait, signal });
  return { time, watch };
}

describe("a waiting call", () => {
  test("that failed is repeated after a second if that may help", async () => {
    const { time, watch } = waitFor(rpcError(status.INTERNAL), new FanoutError("backend-unreachable", "away"));
    const end = watch.untilEnded("a").then(() => time.clock());
    await time.runUntil(5_000);
    expect(await end).toBe(2_000);
    expect(watch.calls).toEqual({ WaitForInstanceCompletion: 3 });
  });

  test("that failed ends the waiting if a retry cannot help", async () => {
    const { watch } = waitFor(rpcError(status.UNIMPLEMENTED));
    await expect(watch.untilEnded("a")).rejects.toMatchObject({ code: status.UNIMPLEMENTED });
  });
});
