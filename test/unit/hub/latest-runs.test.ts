import { describe, expect, test } from "vitest";
import type { InstanceState } from "../../../src/backend/orchestration-client.js";
import { latestRuns } from "../../../src/hub/latest-runs.js";
import { instanceIdOf, newRunId } from "../../../src/plan/run-id.js";
import { fakeClient } from "../../support/load/fake-backend.js";
import { stateOf } from "../../support/hub/states.js";

const never = new AbortController().signal;
const NOW_MS = Date.parse("2026-06-01T12:00:00Z");
const MINUTE_MS = 60_000;

function instancesOf(startedMs: number, count: number, runId = newRunId(startedMs, () => 0)): InstanceState[] {
  return Array.from({ length: count }, (_, n) =>
    stateOf(n, { instanceId: instanceIdOf(runId, n), status: "Completed", createdMs: startedMs + n * MINUTE_MS }),
  );
}

function hubOf(all: readonly InstanceState[]) {
  const told: number[] = [];
  const client = fakeClient({
    queryInstances: ({ createdFromMs = 0, createdToMs = Number.POSITIVE_INFINITY }) => {
      const instances = all.filter(({ createdMs = 0 }) => createdMs >= createdFromMs && createdMs <= createdToMs);
      told.push(instances.length);
      return Promise.resolve({ instances, continuationToken: undefined });
    },
  });
  return { client, told };
}

describe("the latest runs of a hub", () => {
  test("are ten, the latest first, whole ones", async () => {
    const runs = Array.from({ length: 12 }, (_, n) => instancesOf(NOW_MS - (n + 1) * MINUTE_MS, 3));
    const { client, told } = hubOf([...runs.flat(), stateOf(0, { instanceId: "order-1", createdMs: NOW_MS })]);
    const { runs: latest, isCut } = await latestRuns(client, NOW_MS, never);
    expect(isCut).toBe(false);
    expect(latest).toHaveLength(10);
    expect(latest[0]).toEqual({
      runId: newRunId(NOW_MS - MINUTE_MS, () => 0),
      createdAt: "2026-06-01T11:59:00.000Z",
      instances: 3,
      ended: 3,
      byStatus: { Completed: 3 },
    });
    // Of a minute and of ten. Those at the edge are read twice.
    expect(told).toEqual([10, 29]);
  });

  test("are looked for further back while they are too few, and a run at the edge of a window is not cut", async () => {
    const edge = instancesOf(NOW_MS - 90 * MINUTE_MS - 1, 60);
    const { client, told } = hubOf([...edge, ...instancesOf(NOW_MS - 300 * 24 * 60 * MINUTE_MS, 1)]);
    const { runs: latest } = await latestRuns(client, NOW_MS, never);
    expect(latest.map(({ instances }) => instances)).toEqual([60, 1]);
    // Each instance is read once.
    expect(told.reduce((sum, count) => sum + count)).toBe(61);
  });

  test("are in the order of their times whatever they are called, whole ones too", async () => {
    const { client } = hubOf([
      ...instancesOf(NOW_MS - 5 * MINUTE_MS, 2, "z"),
      ...instancesOf(NOW_MS - 90 * MINUTE_MS, 60, "nightly.7"),
      ...instancesOf(NOW_MS - 4 * MINUTE_MS, 3, "a"),
    ]);
    const { runs: latest } = await latestRuns(client, NOW_MS, never);
    expect(latest.map(({ runId, instances }) => [runId, instances])).toEqual([
      ["a", 3],
      ["z", 2],
      ["nightly.7", 60],
    ]);
  });

  test("include one whose first instance is gone", async () => {
    const { client } = hubOf(instancesOf(NOW_MS - MINUTE_MS, 3).slice(1));
    expect(await latestRuns(client, NOW_MS, never)).toMatchObject({ runs: [{ instances: 2 }], isCut: false });
  });

  test("are those of the pages so far where the search is cut, which says so", async () => {
    const queries: (string | undefined)[] = [];
    const client = fakeClient({
      queryInstances: ({ continuationToken }) => {
        queries.push(continuationToken);
        const instances = instancesOf(NOW_MS - queries.length * MINUTE_MS, 2);
        return Promise.resolve({ instances, continuationToken: `after page ${queries.length}` });
      },
    });
    const read: number[] = [];
    const { runs, isCut } = await latestRuns(client, NOW_MS, never, (instancesRead) => {
      read.push(instancesRead);
      return instancesRead < 6;
    });
    expect(queries).toEqual([undefined, "after page 1", "after page 2"]);
    expect(read).toEqual([2, 4, 6]);
    expect(isCut).toBe(true);
    expect(runs.map(({ createdAt }) => createdAt)).toEqual([
      "2026-06-01T11:59:00.000Z",
      "2026-06-01T11:58:00.000Z",
      "2026-06-01T11:57:00.000Z",
    ]);
  });
});
