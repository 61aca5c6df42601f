import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { setAlarm } from "../../src/emulator/alarm.js";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;

test.each([
  ["of a fraction of a millisecond", 0.2, 1],
  ["of a second", 1_000, 1_000],
  ["longer than a timer of Node can wait", 100 * DAY_MS, 100 * DAY_MS],
])("a delay %s calls back once, and not early", (_, delayMs, dueMs) => {
  const callback = vi.fn<() => void>();
  setAlarm(delayMs, callback);
  vi.advanceTimersByTime(dueMs - 1);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(callback).toHaveBeenCalledOnce();
  vi.advanceTimersByTime(200 * DAY_MS);
  expect(callback).toHaveBeenCalledOnce();
});

test("a delay that is over calls back in the next turn, not in this one", () => {
  const callback = vi.fn<() => void>();
  setAlarm(-5, callback);
  expect(callback).not.toHaveBeenCalled();
  vi.advanceTimersByTime(0);
  expect(callback).toHaveBeenCalledOnce();
});

test.each([0, 30])("one that is cancelled after %d days never calls back", (days) => {
  const callback = vi.fn<() => void>();
  const cancel = setAlarm(100 * DAY_MS, callback);
  vi.advanceTimersByTime(days * DAY_MS);
  cancel();
  vi.advanceTimersByTime(200 * DAY_MS);
  expect(callback).not.toHaveBeenCalled();
  expect(vi.getTimerCount()).toBe(0);
});
