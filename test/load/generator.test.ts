import { describe, expect, test } from "vitest";
import type { OrchestrationClient } from "../../src/backend/orchestration-client.js";
import { Generator } from "../../src/load/generator.js";
import type { Completion, Start } from "../../src/stats/completion.js";
import { completedState, fakeClient, untilAborted } from "./fake-backend.js";

const RUN_ID = "r0123456789ab";

function harness(orchestrations: number, client: Partial<OrchestrationClient>) {
  const stopStarting = new AbortController();
  const stopWaiting = new AbortController();
  const starts: Start[] = [];
  const completions: Completion[] = [];
  let now = 0;
  const generator = new Generator({
    client: fakeClient(client),
    runId: RUN_ID,
    orchestrations,
    orchestration: { name: "FanOutFanInOrchestration", input: {}, activities: 50 },
    clock: () => (now += 1),
    stopStarting: stopStarting.signal,
    stopWaiting: stopWaiting.signal,
    onStart: (start) => starts.push(start),
    onCompletion: (completion) => completions.push(completion),
  });
  return { generator, starts, completions, stopStarting, stopWaiting };
}

describe("the generator", () => {
  test("starts all with ids of the run, and follows each to its end", async () => {
    const { generator, starts, completions } = harness(250, {
      startInstance: () => Promise.resolve(),
      waitForCompletion: (instanceId) => Promise.resolve(completedState(instanceId, 50)),
    });
    await generator.run(0);
    expect(new Set(starts.map(({ instanceId }) => instanceId)).size).toBe(250);
    expect(starts.every(({ instanceId }) => instanceId.startsWith(`${RUN_ID}-`))).toBe(true);
    expect(completions).toHaveLength(250);
    expect(completions.every(({ outcome }) => outcome === "completed")).toBe(true);
    expect(generator.inFlight.size).toBe(0);
  });

  test("keeps at most a hundred starts outstanding", async () => {
    let outstanding = 0;
    let most = 0;
    const { generator } = harness(500, {
      startInstance: async () => {
        outstanding += 1;
        most = Math.max(most, outstanding);
        await Promise.resolve();
        outstanding -= 1;
      },
      waitForCompletion: (instanceId) => Promise.resolve(completedState(instanceId, 50)),
    });
    await generator.run(0);
    expect(most).toBe(100);
  });

  test("orders the times of a completion: intended, sent, accepted, noticed", async () => {
    const { generator, completions } = harness(3, {
      startInstance: () => Promise.resolve(),
      waitForCompletion: (instanceId) => Promise.resolve(completedState(instanceId, 50)),
    });
    await generator.run(0);
    for (const { start, noticedMs } of completions) {
      expect(start.intendedMs).toBe(0);
      expect(start.sentMs).toBeLessThan(start.acceptedMs!);
      expect(start.acceptedMs).toBeLessThan(noticedMs);
    }
  });

  test("counts an instance that lost activities as failed", async () => {
    const { generator, completions } = harness(1, {
      startInstance: () => Promise.resolve(),
      waitForCompletion: (instanceId) => Promise.resolve(completedState(instanceId, 49)),
    });
    await generator.run(0);
    expect(completions[0]).toMatchObject({ outcome: "failed", failure: { type: "LostActivities" } });
  });

  test("counts a refused start as failed, with the reason", async () => {
    const { generator, starts, completions } = harness(1, {
      startInstance: () => Promise.reject(new Error("7 PERMISSION_DENIED")),
    });
    await generator.run(0);
    expect(starts).toHaveLength(1);
    expect(completions[0]?.failure).toEqual({ type: "StartRefused", message: "7 PERMISSION_DENIED" });
  });

  test("sends no start after it was told to stop, and still follows those it sent", async () => {
    const { generator, starts, completions, stopStarting } = harness(1_000, {
      startInstance: () => {
        stopStarting.abort();
        return Promise.resolve();
      },
      waitForCompletion: (instanceId) => Promise.resolve(completedState(instanceId, 50)),
    });
    await generator.run(0);
    expect(starts.length).toBeLessThanOrEqual(100);
    expect(completions).toHaveLength(starts.length);
  });

  test("leaves unfinished what has not ended when it stops waiting", async () => {
    const { generator, starts, completions, stopWaiting } = harness(5, {
      startInstance: () => Promise.resolve(),
      waitForCompletion: (_, options) => untilAborted(options?.signal),
    });
    const running = generator.run(0);
    await generator.allStarted;
    stopWaiting.abort();
    await running;
    expect(starts).toHaveLength(5);
    expect(completions).toHaveLength(0);
    expect(generator.inFlight.size).toBe(5);
  });

  test("fails an instance whose wait is refused for good", async () => {
    const { generator, completions } = harness(1, {
      startInstance: () => Promise.resolve(),
      waitForCompletion: () => Promise.reject(Object.assign(new Error("12 UNIMPLEMENTED"), { code: 12 })),
    });
    await generator.run(0);
    expect(completions[0]?.failure).toEqual({ type: "WaitFailed", message: "12 UNIMPLEMENTED" });
  });
});
