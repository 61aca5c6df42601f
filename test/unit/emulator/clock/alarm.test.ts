import * as fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Clock } from "../../../../src/emulator/clock/clock.js";
import { VirtualTime } from "../../../support/emulator/virtual-time.js";

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let time: VirtualTime;
let clock: Clock;

beforeEach(() => {
  time = new VirtualTime();
  clock = new Clock(time);
});

/** The system's clock, microseconds. */
function systemUs(): number {
  return time.epochMs() * 1000;
}

/** An alarm that is due so many milliseconds from now by the system's clock. */
function alarmIn(delayMs: number): { callback: () => void; cancel: () => void } {
  const callback = vi.fn<() => void>();
  return { callback, cancel: clock.at(systemUs() + delayMs * 1000, callback) };
}

describe("an alarm", () => {
  test.each([
    ["a fraction of a millisecond", 0.2, 1],
    ["a second", SECOND_MS, SECOND_MS],
    ["longer than a timer of Node can wait", 26 * DAY_MS, 26 * DAY_MS],
  ])("that is due in %s calls back once, and not early", (_, delayMs, dueMs) => {
    const { callback } = alarmIn(delayMs);
    time.advance(dueMs - 1);
    expect(callback).not.toHaveBeenCalled();
    time.advance(1);
    expect(callback).toHaveBeenCalledOnce();
    time.advance(DAY_MS);
    expect(callback).toHaveBeenCalledOnce();
  });

  test("that is due already calls back in the next turn, not in this one", () => {
    const { callback } = alarmIn(-5);
    expect(callback).not.toHaveBeenCalled();
    time.advance(0);
    expect(callback).toHaveBeenCalledOnce();
  });

  test.each([0, 25])("that is cancelled after %d days never calls back, and leaves no timer", (days) => {
    const { callback, cancel } = alarmIn(26 * DAY_MS);
    time.advance(days * DAY_MS);
    cancel();
    time.advance(2 * DAY_MS);
    expect(callback).not.toHaveBeenCalled();
    expect(time.timerCount).toBe(0);
  });

  test("that has called back leaves no timer, also if it is cancelled then", () => {
    const { callback, cancel } = alarmIn(SECOND_MS);
    const other = alarmIn(2 * SECOND_MS);
    time.advance(SECOND_MS);
    cancel();
    time.advance(SECOND_MS);
    expect(callback).toHaveBeenCalledOnce();
    expect(other.callback).toHaveBeenCalledOnce();
    expect(time.timerCount).toBe(0);
  });
});

describe("when the system's clock is set forward", () => {
  test("all that has become due calls back within a second, and nothing else", () => {
    const due = [alarmIn(10_000), alarmIn(HOUR_MS)];
    const later = alarmIn(2 * HOUR_MS);
    time.advance(300);
    time.setBy(HOUR_MS);
    time.advance(SECOND_MS);
    for (const { callback } of due) expect(callback).toHaveBeenCalledOnce();
    expect(later.callback).not.toHaveBeenCalled();
    time.advance(HOUR_MS);
    expect(later.callback).toHaveBeenCalledOnce();
  });

  test("again and again by a little, an alarm is not late by the sum of it", () => {
    const { callback } = alarmIn(HOUR_MS);
    for (let n = 0; n < 100; n += 1) {
      time.setBy(30 * SECOND_MS);
      time.advance(SECOND_MS);
    }
    time.advance(HOUR_MS - 3_100 * SECOND_MS);
    expect(callback).toHaveBeenCalledOnce();
  });
});

describe("when the system's clock is set back", () => {
  test("no alarm calls back before that clock has reached it", () => {
    const { callback } = alarmIn(10_000);
    time.setBy(-HOUR_MS);
    time.advance(HOUR_MS + 10_000 - 1);
    expect(callback).not.toHaveBeenCalled();
    time.advance(1);
    expect(callback).toHaveBeenCalledOnce();
  });

  test("just before an alarm is due, it is not early by the moments until somebody notices", () => {
    const { callback } = alarmIn(10_000);
    time.advance(9_999);
    time.setBy(-150);
    time.advance(150);
    expect(callback).not.toHaveBeenCalled();
    time.advance(1);
    expect(callback).toHaveBeenCalledOnce();
  });
});

describe("the clock of the emulator", () => {
  test("is the system's, and steady while nobody sets it", () => {
    expect(Math.abs(clock.nowUs() - systemUs())).toBeLessThan(20_000);
    const before = clock.nowUs();
    time.advance(12_345);
    expect(clock.nowUs() - before).toBe(12_345_000);
  });

  test.each([
    ["forward by an hour", HOUR_MS],
    ["back by an hour", -HOUR_MS],
  ])("follows at once where that is set %s", (_, ms) => {
    time.setBy(ms);
    expect(Math.abs(clock.nowUs() - systemUs())).toBeLessThan(20_000);
  });

  test("waits at half its speed for one that was set back by some seconds, and loses nothing more", () => {
    const before = clock.nowUs();
    time.setBy(-4_000);
    time.advance(2_000);
    expect(clock.nowUs() - before).toBe(1_000_000);
    time.advance(6_100);
    expect(clock.nowUs() - before).toBeGreaterThan(4_000_000);
    expect(Math.abs(clock.nowUs() - systemUs())).toBeLessThan(20_000);
    const caughtUp = clock.nowUs();
    time.advance(1_000);
    expect(clock.nowUs() - caughtUp).toBe(1_000_000);
  });

  test("never goes back but where more was taken than it waits for", () => {
    const jumps = fc.integer({ min: -9_000, max: 60_000 });
    const change = fc.record({ afterMs: fc.integer({ min: 0, max: 5_000 }), jumpMs: fc.option(jumps) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 50 }), (changes) => {
        clock = new Clock(time);
        let lastUs = clock.nowUs();
        for (const { afterMs, jumpMs } of changes) {
          time.advance(afterMs);
          const aheadMs = (clock.nowUs() - systemUs()) / 1000;
          // Together with what it still waits for.
          if (jumpMs !== null && aheadMs - jumpMs < 10_000) time.setBy(jumpMs);
          const nowUs = clock.nowUs();
          expect(nowUs).toBeGreaterThanOrEqual(lastUs);
          lastUs = nowUs;
        }
      }),
    );
  });

  test("and alarms agree on what is due", () => {
    const dueUs = clock.nowUs() + 10_000_000;
    const seen: number[] = [];
    clock.at(dueUs, () => seen.push(clock.nowUs()));
    time.advance(5_000);
    time.setBy(-3_000);
    time.advance(30_000);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toBeGreaterThanOrEqual(dueUs);
    expect(seen[0]! - dueUs).toBeLessThan(20_000);
  });
});
