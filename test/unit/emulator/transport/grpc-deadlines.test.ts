import * as fc from "fast-check";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Deadlines } from "../../../../src/emulator/transport/grpc/deadlines.js";

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("each call expires once, when it is due, unless it is over before", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ afterMs: fc.nat(50), overMs: fc.nat(50) }), { maxLength: 20 }), (plans) => {
      const deadlines = new Deadlines();
      const startMs = performance.now();
      const expiredMs = plans.map((): number[] => []);
      const calls = plans.map(({ afterMs }, index) => ({
        deadlineMs: startMs + afterMs,
        expire: () => expiredMs[index]!.push(performance.now() - startMs),
      }));
      for (const call of calls) deadlines.add(call);
      for (let nowMs = 0; nowMs <= 60; nowMs += 1) {
        vi.advanceTimersByTime(nowMs === 0 ? 0 : 1);
        plans.forEach(({ overMs }, index) => {
          if (overMs === nowMs) deadlines.delete(calls[index]!);
        });
      }
      const expected = plans.map(({ afterMs, overMs }) => (afterMs <= overMs ? 1 : 0));
      const due = expiredMs.map((times, index) => times.filter((ms) => ms >= plans[index]!.afterMs).length);
      expect(due).toEqual(expiredMs.map((times) => times.length));
      plans.forEach(({ afterMs, overMs }, index) => {
        if (afterMs !== overMs) expect(due[index]).toBe(expected[index]);
      });
      deadlines.close();
      expect(vi.getTimerCount()).toBe(0);
    }),
  );
});

test("a deadline beyond what a timer takes is waited for in parts", () => {
  const deadlines = new Deadlines();
  const expire = vi.fn<() => void>();
  deadlines.add({ deadlineMs: performance.now() + 60 * DAY_MS, expire });
  vi.advanceTimersByTime(59 * DAY_MS);
  expect(expire).not.toHaveBeenCalled();
  vi.advanceTimersByTime(DAY_MS);
  expect(expire).toHaveBeenCalledOnce();
});

test("no deadline needs no timer", () => {
  new Deadlines().add({ deadlineMs: Infinity, expire: () => {} });
  expect(vi.getTimerCount()).toBe(0);
});
