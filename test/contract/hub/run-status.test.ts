import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Backend } from "../../../src/backend/backend.js";
import type { NewInstance } from "../../../src/emulator/store/store.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import { RunObserver, type RunStatus } from "../../../src/hub/run-status.js";
import { watchRun } from "../../../src/hub/watch.js";
import { instanceIdOf } from "../../../src/plan/run-id.js";
import { bytes, committed, newInstance } from "../../support/emulator/store-contract.js";
import { ServedEmulator } from "../../support/emulator/served-emulator.js";
import { stringValue } from "../../../src/protocol/wire.js";
import { fakeBackend } from "../../support/load/fake-backend.js";
import { ForwardingBackend } from "../../support/hub/forwarding-backend.js";
import { RUN } from "../../support/hub/states.js";

const INSTANCES = 3_000;
const PAGES = 4;
const OPEN = 150;

function observe(forwarding: ForwardingBackend, signal: AbortSignal): RunObserver {
  const backend: Backend = fakeBackend({ client: forwarding.client("hub") });
  return new RunObserver({ ...backend, connection: { ...backend.connection, taskHub: "hub" } }, RUN, signal);
}

async function watch(forwarding: ForwardingBackend, between: readonly (() => void)[]): Promise<RunStatus[]> {
  const seen: RunStatus[] = [];
  const observing = new AbortController();
  const steps = [...between];
  const pause = async (): Promise<void> => steps.shift()?.();
  for await (const status of watchRun(observe(forwarding, observing.signal), pause)) seen.push(status);
  observing.abort();
  return seen;
}

describe("a run of 3,000 instances", () => {
  let served: ServedEmulator;
  let keys: number[];

  beforeEach(async () => {
    served = await ServedEmulator.start();
    keys = committed(served.store, () => Array.from({ length: INSTANCES }, (_, n) => insert(instanceIdOf(RUN, n))));
    insertElsewhere();
    end(0, INSTANCES - OPEN);
  });
  afterEach(() => served.close());

  function insert(instanceId: string, over: Partial<NewInstance> = {}): number {
    const input = stringValue('{"iterations":2,"parallelActivities":5}');
    const name = "FanOutFanInOrchestration";
    return served.store.insertInstance(newInstance({ instanceId, name, input, taskHub: "hub", ...over }))!;
  }

  function insertElsewhere(): void {
    committed(served.store, () => {
      insert(`${RUN}x-00000-000`);
      insert(`${RUN}-other`);
      insert(instanceIdOf(RUN, 0), { taskHub: "another" });
    });
  }

  function end(from: number, to: number, status: number = Status.Completed): void {
    committed(served.store, () => {
      for (const key of keys.slice(from, to)) {
        served.store.applyEpisode(key, {
          processedSeq: 0,
          historySeq: 0,
          history: bytes(""),
          status,
          updatedUs: 1_700_000_010_000_001,
          completedUs: 1_700_000_010_000_001,
          output: undefined,
          customStatus: undefined,
          failure: undefined,
          trace: undefined,
          tasksCompleted: 10,
        });
      }
    });
  }

  test("is watched with few calls: all pages at first and at the end, only unfinished instances in between", async () => {
    const forwarding = await ForwardingBackend.start(served.address);
    const seen = await watch(forwarding, [
      () => end(INSTANCES - OPEN, INSTANCES - 50),
      () => end(INSTANCES - 50, INSTANCES - 1),
      () => end(INSTANCES - 1, INSTANCES),
    ]);
    expect(seen.map(({ instances, ended }) => [instances, ended])).toEqual([
      [INSTANCES, INSTANCES - OPEN],
      [INSTANCES, INSTANCES - 50],
      [INSTANCES, INSTANCES - 1],
      [INSTANCES, INSTANCES],
      [INSTANCES, INSTANCES],
    ]);
    expect(seen.at(-1)).toMatchObject({
      byStatus: { Completed: INSTANCES },
      durationMs: 10_000,
      activities: { needed: INSTANCES * 10, completed: INSTANCES * 10 },
      throughput: { orchestrationsPerSecond: 300, activitiesPerSecond: 3_000 },
    });
    // Pages for each of two looks at all, and one for each of three others.
    expect(forwarding.calls["QueryInstances"]).toBeLessThanOrEqual(2 * PAGES + 3);
    // One for the input, and the sample of at most 200 that have not ended.
    expect(forwarding.calls["GetInstance"]).toBeLessThanOrEqual(1 + OPEN + 50 + 1);
    forwarding.close();
  });

  test("lists ten failures, and counts the others", async () => {
    end(INSTANCES - OPEN, INSTANCES, Status.Failed);
    const forwarding = await ForwardingBackend.start(served.address);
    const observing = new AbortController();
    const status = await observe(forwarding, observing.signal).look("all");
    observing.abort();
    expect(status?.failures?.total).toBe(OPEN);
    expect(status?.failures?.first).toHaveLength(10);
    expect(status?.failures?.first[0]).toEqual({
      instanceId: instanceIdOf(RUN, INSTANCES - OPEN),
      type: "Unknown",
      message: "the backend gave no reason",
    });
    expect(status?.activities).toMatchObject({ atLeast: true });
    forwarding.close();
  });

  test("is read by id without QueryInstances, and ended instances are not read again", async () => {
    const forwarding = await ForwardingBackend.start(served.address, ["QueryInstances"]);
    const observing = new AbortController();
    const run = observe(forwarding, observing.signal);
    expect(await run.look("all")).toMatchObject({ instances: INSTANCES, ended: INSTANCES - OPEN });
    expect(forwarding.calls["QueryInstances"]).toBe(1);
    forwarding.calls = {};
    end(INSTANCES - OPEN, INSTANCES);
    expect(await run.look("not completed")).toMatchObject({
      byStatus: { Completed: INSTANCES },
      throughput: { orchestrationsPerSecond: 300 },
    });
    expect(forwarding.calls).toEqual({ GetInstance: OPEN + 100 });
    observing.abort();
    forwarding.close();
  });
});
