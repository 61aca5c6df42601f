import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { sampleResult } from "../../support/report/sample-result.js";
import { scriptOf, scriptedRun } from "../../support/runs/scripted-run.js";

const DIE = 'process.kill(process.pid, "SIGKILL")';
const READY = 'tell({ type: "ready" })';
const ALIVE = 'setInterval(() => tell({ type: "alive" }), 100)';

/** The end of an interrupted run with so many orchestrations that had not ended. */
function interrupted(unfinished: number): string {
  const { counts } = sampleResult;
  const orchestrations = { ...counts.orchestrations, unfinished };
  const result = { ...sampleResult, interrupted: true, counts: { ...counts, orchestrations } };
  return `tell(${JSON.stringify({ type: "ended", result, aborted: false })}, () => process.exit())`;
}

const cleanUp = vi.fn<() => Promise<string>>(() => Promise.resolve("Its 2 orchestrations in flight were terminated."));

beforeEach(() => void cleanUp.mockClear());

afterEach(() => void vi.useRealTimers());

describe("what a run left in flight", () => {
  test("is another's if its process dies before it has checked the run id, and is not touched", async () => {
    const run = await scriptedRun(scriptOf({ prepare: DIE }), { cleanUp });
    await run.ended;
    expect(run.failure).toMatchObject({
      code: "run-died",
      message: expect.stringMatching(/It had started nothing\.$/u),
    });
    expect(cleanUp).not.toHaveBeenCalled();
  });

  test.each([
    ["dies", DIE, "run-died"],
    ["fails", 'tell({ type: "failed", message: "away", code: "backend-unreachable" })', "backend-unreachable"],
  ])("is terminated if its process %s after that", async (_, how, code) => {
    const run = await scriptedRun(scriptOf({ prepare: `tell({ type: "ready" }, () => { ${how} })` }), { cleanUp });
    await run.ended;
    expect(run.failure).toMatchObject({ code, message: expect.stringMatching(/ in flight were terminated\.$/u) });
    expect(cleanUp).toHaveBeenCalledTimes(1);
  });

  test.each([2, 0])(
    "is terminated if a cancelled run could not terminate all, with %d unfinished",
    async (unfinished) => {
      const run = await scriptedRun(scriptOf({ prepare: READY, interrupt: interrupted(unfinished) }), { cleanUp });
      run.cancel();
      await run.ended;
      expect(run.status).toBe("cancelled");
      expect(cleanUp).toHaveBeenCalledTimes(unfinished === 0 ? 0 : 1);
      expect(run.cleanedUp).toBe(unfinished === 0 ? undefined : "Its 2 orchestrations in flight were terminated.");
      expect(run.lines).toEqual(unfinished === 0 ? [] : [run.cleanedUp]);
    },
  );

  test("is being terminated while viewers hear of the run each second", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const called = Promise.withResolvers<void>();
    const cleaned = Promise.withResolvers<string>();
    const slowly = (): Promise<string> => {
      called.resolve();
      return cleaned.promise;
    };
    const run = await scriptedRun(scriptOf({ prepare: `tell({ type: "ready" }, () => { ${DIE} })` }), {
      cleanUp: slowly,
    });
    await called.promise;
    const told: string[] = [];
    const watched = await run.watch();
    watched.hub.add({ send: (text) => told.push(text), backlogBytes: 0, drop() {}, end() {} }, undefined);
    watched.viewersChanged();
    const before = told.length;
    vi.advanceTimersByTime(1_000);
    expect(told.length).toBe(before + 1);
    expect(run.hasEnded).toBe(false);
    cleaned.resolve("");
    await run.ended;
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a process that hangs is killed", () => {
  test("also before its first progress", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    const run = await scriptedRun(scriptOf({}));
    vi.advanceTimersByTime(30_000);
    await run.ended;
    expect(run.failure?.message).toMatch(/^The process of the run hung for 30 s \(pid \d+\) and was killed\./u);
  });

  test("also if it is alive, but does not end after a cancellation", async () => {
    const run = await scriptedRun(scriptOf({ prepare: `${READY}; ${ALIVE}` }), { cleanUp });
    await vi.waitFor(() => expect(run.status).toBe("running"), 45_000);
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    run.cancel();
    vi.advanceTimersByTime(60_000);
    await run.ended;
    expect(run.failure?.message).toMatch(/^The process of the run did not end within 60 s after it was cancelled /u);
    expect(cleanUp).toHaveBeenCalledTimes(1);
  });
});

test("a run keeps short lines", async () => {
  const line = `tell({ type: "line", text: "x".repeat(1_000_000) }, () => { ${READY} })`;
  const run = await scriptedRun(scriptOf({ prepare: line, interrupt: interrupted(0) }));
  await vi.waitFor(() => expect(run.status).toBe("running"), 45_000);
  expect(run.lines).toHaveLength(1);
  expect(run.lines[0]!.length).toBeLessThan(3_000);
  run.cancel();
  await run.ended;
});
