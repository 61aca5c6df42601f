import { describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backend/backend.js";
import type { HubProgress } from "../../../src/protocol/admin.js";
import { progressOf } from "../../../src/load/progress.js";
import { completedState, fakeBackend, fakeClient, untilAborted } from "../../support/load/fake-backend.js";

function sourcesOf(
  backend: Backend,
  inFlight = new Set<string>(),
  pause: (signal: AbortSignal) => Promise<void> = untilAborted,
  orchestrators: readonly string[] = [],
) {
  const state = { now: 0, accountedFor: 0 };
  const sources = {
    backend,
    runId: "r0123456789ab",
    clock: () => state.now,
    inFlight,
    orchestrators,
    pause,
    hadWorker: () => false,
    activitiesAccountedFor: () => state.accountedFor,
  };
  return { state, progress: progressOf(sources) };
}

const unused = (): Promise<never> => Promise.reject(new Error("unexpected call"));

function watching(values: readonly HubProgress[]) {
  async function* watch() {
    yield* values;
  }
  return sourcesOf(fakeBackend({ admin: { status: unused, drainWorker: unused, watch } }));
}

const running = (instanceId: string, activitiesCompleted: number) => ({
  ...completedState(instanceId, 50),
  status: "Running" as const,
  customStatus: JSON.stringify({ iterationsCompleted: 1, iterations: 10, activitiesCompleted }),
});

describe("progress on the embedded emulator", () => {
  test("is the larger of the emulator's count and that of the outputs", async () => {
    const { state, progress } = watching([{ workers: 1, workerlessMs: 0, activitiesCompleted: 30 }]);
    await progress.follow(new AbortController().signal);
    expect(progress.activitiesCompleted()).toBe(30);
    state.accountedFor = 50;
    expect(progress.activitiesCompleted()).toBe(50);
  });

  test("never falls", async () => {
    const { progress } = watching([
      { workers: 1, workerlessMs: 0, activitiesCompleted: 30 },
      { workers: 1, workerlessMs: 0, activitiesCompleted: 10 },
    ]);
    await progress.follow(new AbortController().signal);
    expect(progress.activitiesCompleted()).toBe(30);
  });

  test("has a worker when each orchestration of a mix has one", async () => {
    const workers: Record<string, number> = { Order: 1, Refund: 0 };
    async function* watch({ orchestrator = "" }: { readonly orchestrator?: string }) {
      const count = workers[orchestrator]!;
      yield { workers: count, workerlessMs: count === 0 ? 400 : 0, activitiesCompleted: 0 };
    }
    const backend = fakeBackend({ admin: { status: unused, drainWorker: unused, watch } });
    const { progress } = sourcesOf(backend, undefined, undefined, ["Order", "Refund"]);
    expect(progress.workerlessMs()).toBeUndefined();
    await progress.follow(new AbortController().signal);
    expect(progress.workerlessMs()).toBe(400);
    expect(progress.unhosted()).toEqual(["Refund"]);
    workers["Refund"] = 2;
    await progress.follow(new AbortController().signal);
    expect(progress.workerlessMs()).toBe(0);
    expect(progress.unhosted()).toEqual([]);
  });

  test("continues to count the time without a worker between two answers", async () => {
    const { state, progress } = watching([{ workers: 0, workerlessMs: 400, activitiesCompleted: 0 }]);
    await progress.follow(new AbortController().signal);
    state.now = 700;
    expect(progress.workerlessMs()).toBe(1_100);
  });
});

describe("progress elsewhere", () => {
  test("adds the sampled progress of unfinished instances to that of the outputs", async () => {
    const firstSample = Promise.withResolvers<void>();
    let pauses = 0;
    const pause = async (signal: AbortSignal): Promise<void> => {
      pauses += 1;
      if (pauses === 1) return;
      firstSample.resolve();
      await untilAborted(signal);
    };
    const inFlight = new Set(["a", "b"]);
    const client = fakeClient({ getInstance: (instanceId) => Promise.resolve(running(instanceId, 5)) });
    const { state, progress } = sourcesOf(fakeBackend({ client }), inFlight, pause);
    const stop = new AbortController();
    state.now = 900;
    expect(progress.workerlessMs()).toBe(900);
    const following = progress.follow(stop.signal).catch(() => {});
    await firstSample.promise;
    expect(progress.activitiesCompleted()).toBe(10);
    expect(progress.workerlessMs()).toBe(0);
    inFlight.delete("a");
    state.accountedFor = 50;
    expect(progress.activitiesCompleted()).toBe(55);
    stop.abort();
    await following;
  });
});
