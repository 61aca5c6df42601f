import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ProgressWatch } from "../../../src/worker/progress-watch.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("it resolves as soon as it is done, also when it was done before", async () => {
  const watch = new ProgressWatch();
  expect(await watch.until({ isDone: () => true, patienceMs: 100 })).toBe(true);
  let done = false;
  const waiting = watch.until({ isDone: () => done, patienceMs: 100 });
  done = true;
  watch.progress();
  expect(await waiting).toBe(true);
});

test("progress renews its patience, and silence ends it", async () => {
  const watch = new ProgressWatch();
  const ended = vi.fn<(done: boolean) => void>();
  void watch.until({ isDone: () => false, patienceMs: 100 }).then(ended);
  for (let round = 0; round < 5; round++) {
    await vi.advanceTimersByTimeAsync(90);
    watch.progress();
  }
  expect(ended).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(100);
  expect(ended).toHaveBeenCalledWith(false);
});

test("while something is busy, silence does not end it", async () => {
  const watch = new ProgressWatch();
  let busy = true;
  const ended = vi.fn<(done: boolean) => void>();
  void watch.until({ isDone: () => false, isBusy: () => busy, patienceMs: 100 }).then(ended);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(ended).not.toHaveBeenCalled();
  busy = false;
  await vi.advanceTimersByTimeAsync(100);
  expect(ended).toHaveBeenCalledWith(false);
});
