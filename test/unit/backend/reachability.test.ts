import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withRetry } from "../../../src/backend/call-retry.js";
import { grpcError } from "../../../src/backend/grpc-error.js";
import { Reachability } from "../../../src/backend/reachability.js";

const refused = grpcError(status.UNAVAILABLE, "connect ECONNREFUSED");

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A backend that is away until `isBack`, and the calls that it got meanwhile. */
class Absentee {
  isBack = false;
  attempts = 0;
  probes = 0;
  readonly reachability = new Reachability(async () => {
    this.probes += 1;
    if (!this.isBack) throw refused;
  });

  call(signal?: AbortSignal): Promise<string> {
    return withRetry(
      async () => {
        this.attempts += 1;
        if (!this.isBack) throw refused;
        return "answer";
      },
      {
        maxAttempts: 10,
        recover: () => new Promise((resolve) => void setTimeout(resolve, 150)),
        explain: (error) => error,
        onFailure: () => {},
        signal,
        gate: this.reachability,
      },
    );
  }
}

test("a hundred calls make no attempt while a backend is away, and go on when a probe is answered", async () => {
  const backend = new Absentee();
  backend.reachability.watch(60_000);
  const calls = Promise.all(Array.from({ length: 100 }, () => backend.call()));
  await vi.advanceTimersByTimeAsync(2_000);
  const { attempts, probes } = backend;
  await vi.advanceTimersByTimeAsync(20_000);
  expect(backend.attempts).toBe(attempts);
  expect(backend.probes - probes).toBeLessThanOrEqual(40);
  expect(backend.reachability.absence).toMatchObject({ found: "UNAVAILABLE: connect ECONNREFUSED" });
  backend.isBack = true;
  await vi.advanceTimersByTimeAsync(1_000);
  expect(new Set(await calls)).toEqual(new Set(["answer"]));
  expect(backend.reachability.absence).toBeUndefined();
  backend.reachability.stopWatching();
});

test("a call that waits for its work does not hide that the backend is back", async () => {
  const backend = new Reachability(async () => {});
  backend.watch(60_000);
  backend.failed(refused);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(backend.absence).toBeUndefined();
  backend.stopWatching();
});

test("all calls give up when the patience is over, and later ones after one attempt", async () => {
  const backend = new Absentee();
  backend.reachability.watch(5_000);
  const calls = Promise.allSettled(Array.from({ length: 20 }, () => backend.call()));
  await vi.advanceTimersByTimeAsync(6_001);
  expect((await calls).every(({ status }) => status === "rejected")).toBe(true);
  const { attempts } = backend;
  await expect(backend.call()).rejects.toBe(refused);
  expect(backend.attempts).toBe(attempts + 1);
  backend.reachability.stopWatching();
});

test("a backend that nobody watches is given up after the attempts of a call, also by one that waited before", async () => {
  const backend = new Absentee();
  const call = backend.call().catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await call).toBe(refused);
  expect(backend.attempts).toBe(10);
  backend.reachability.watch(60_000);
  const waiting = Promise.allSettled([backend.call()]);
  await vi.advanceTimersByTimeAsync(3_000);
  backend.reachability.stopWatching();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await waiting).toMatchObject([{ status: "rejected" }]);
});

test("a call that waits ends with its signal", async () => {
  const backend = new Absentee();
  backend.reachability.watch(60_000);
  const controller = new AbortController();
  const call = backend.call(controller.signal).catch((error: unknown) => error);
  await vi.advanceTimersByTimeAsync(3_000);
  controller.abort(new Error("stopped"));
  await vi.advanceTimersByTimeAsync(200);
  expect(await call).toMatchObject({ message: "stopped" });
  backend.reachability.stopWatching();
});

test("a backend that does not answer in time is away, and no call waits for it", async () => {
  const silent = new Reachability(async () => {
    await new Promise((resolve) => void setTimeout(resolve, 2_000));
    throw grpcError(status.DEADLINE_EXCEEDED, "too late");
  });
  silent.watch(60_000);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(silent.absence).toMatchObject({ isUnreachable: false, found: expect.stringContaining("DEADLINE_EXCEEDED") });
  await silent.ready(undefined);
  silent.answered();
  expect(silent.absence).toBeUndefined();
  silent.stopWatching();
});

test.each([
  [status.NOT_FOUND, false],
  [status.INTERNAL, false],
  [status.DEADLINE_EXCEEDED, true],
  [status.CANCELLED, true],
])("after status %i the backend is still away: %s", (code, isAway) => {
  const reachability = new Reachability(async () => {});
  reachability.watch(60_000);
  reachability.failed(refused);
  reachability.failed(grpcError(code, "told"));
  expect(reachability.absence !== undefined).toBe(isAway);
  reachability.stopWatching();
});

test("a backend that is watched again while a probe is on its way is asked as often as before", async () => {
  let probes = 0;
  const slow = new Reachability(async () => {
    probes += 1;
    await new Promise((resolve) => void setTimeout(resolve, 2_000));
  });
  slow.watch(60_000);
  await vi.advanceTimersByTimeAsync(1_600);
  slow.stopWatching();
  slow.watch(60_000);
  probes = 0;
  await vi.advanceTimersByTimeAsync(31_000);
  expect(probes).toBeLessThanOrEqual(11);
  slow.stopWatching();
});
