import * as fc from "fast-check";
import { expect, test, vi } from "vitest";
import { Deadlines } from "../../../../src/emulator/transport/grpc/deadlines.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";

const DAY_MS = 86_400_000;

test("each call expires once, when it is due, unless it is over before", () => {
  fc.assert(
    fc.property(fc.array(fc.record({ afterMs: fc.nat(50), overMs: fc.nat(50) }), { maxLength: 20 }), (plans) => {
      const time = new VirtualTime();
      const deadlines = new Deadlines(time);
      const expiredMs = plans.map((): number[] => []);
      const calls = plans.map(({ afterMs }, index) => ({
        deadlineMs: afterMs,
        expire: () => expiredMs[index]!.push(time.steadyMs()),
      }));
      for (const call of calls) deadlines.add(call);
      for (let nowMs = 0; nowMs <= 60; nowMs += 1) {
        time.advance(nowMs === 0 ? 0 : 1);
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
      expect(time.timerCount).toBe(0);
    }),
  );
});

test("a deadline beyond what a timer takes is waited for in parts", () => {
  const time = new VirtualTime();
  const deadlines = new Deadlines(time);
  const expire = vi.fn<() => void>();
  deadlines.add({ deadlineMs: 60 * DAY_MS, expire });
  time.advance(59 * DAY_MS);
  expect(expire).not.toHaveBeenCalled();
  time.advance(DAY_MS);
  expect(expire).toHaveBeenCalledOnce();
});

test("no deadline needs no timer", () => {
  const time = new VirtualTime();
  new Deadlines(time).add({ deadlineMs: Infinity, expire: () => {} });
  expect(time.timerCount).toBe(0);
});
