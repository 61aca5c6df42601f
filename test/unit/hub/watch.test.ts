import { describe, expect, test } from "vitest";
import type { InstanceState, RuntimeStatus } from "../../../src/backend/orchestration-client.js";
import { RunObserver } from "../../../src/hub/run-status.js";
import { watchInstances, watchRun } from "../../../src/hub/watch.js";
import { fakeBackend, fakeClient } from "../../support/load/fake-backend.js";
import { stateOf, RUN } from "../../support/hub/states.js";

const never = new AbortController().signal;
const noPause = (): Promise<void> => Promise.resolve();

/** A hub that has the next state of things at each look at the run. */
function hubOf(looks: readonly (readonly InstanceState[])[]) {
  const left = [...looks];
  let now: readonly InstanceState[] = [];
  return fakeClient({
    queryInstances: ({ statuses }) => {
      now = left.shift() ?? now;
      const told = now.filter(({ status }) => !statuses || statuses.includes(status));
      return Promise.resolve({ instances: told, continuationToken: undefined });
    },
    getInstance: (id) => Promise.resolve(now.find(({ instanceId }) => instanceId === id)),
  });
}

async function endedCounts(looks: readonly (readonly InstanceState[])[]): Promise<string[]> {
  const run = new RunObserver(fakeBackend({ client: hubOf(looks) }), RUN, never);
  const counts: string[] = [];
  for await (const { ended, instances } of watchRun(run, noPause)) counts.push(`${ended} of ${instances}`);
  return counts;
}

const done = (sequence: number): InstanceState => stateOf(sequence, { status: "Completed" });

describe("the watch of a run", () => {
  test("ends when a second look, at everything, has found the same end", async () => {
    expect(await endedCounts([[stateOf(0)], [done(0)], [done(0)], [done(0)]])).toEqual(["0 of 1", "1 of 1", "1 of 1"]);
  });

  test("continues while the run still starts instances", async () => {
    const counts = await endedCounts([[done(0)], [done(0), stateOf(1)], [done(0), done(1)], [done(0), done(1)]]);
    expect(counts.at(-1)).toBe("2 of 2");
    expect(counts).toContain("1 of 2");
  });

  test("ends at once if there is no such run, or no longer", async () => {
    expect(await endedCounts([[]])).toEqual([]);
    expect(await endedCounts([[done(0)], []])).toEqual(["1 of 1"]);
  });

  test("stops after an abort", async () => {
    const stop = new AbortController();
    const run = new RunObserver(fakeBackend({ client: hubOf([[stateOf(0)]]) }), RUN, stop.signal);
    const watching = (async () => {
      for await (const _ of watchRun(run)) stop.abort();
    })();
    await expect(watching).rejects.toThrow(/abort/iu);
  });
});

describe("the watch of instances", () => {
  test("asks again only for those that have not ended, and keeps their order", async () => {
    const asked: string[][] = [];
    const statuses: Record<string, RuntimeStatus[]> = { b: ["Running", "Failed"], a: ["Completed"] };
    const client = fakeClient({
      getInstance: (instanceId) => {
        asked.at(-1)!.push(instanceId);
        const status = statuses[instanceId]?.shift();
        return Promise.resolve(status && stateOf(0, { instanceId, status }));
      },
    });
    const seen: string[] = [];
    asked.push([]);
    for await (const { instances, unknown } of watchInstances(client, ["b", "x", "a", "b"], never, noPause)) {
      seen.push(
        `${instances.map(({ instanceId, status }) => `${instanceId} ${status}`).join(", ")}; ${unknown.join()}`,
      );
      asked.push([]);
    }
    expect(asked).toEqual([["b", "x", "a"], ["b"], []]);
    expect(seen).toEqual(["b Running, a Completed; x", "b Failed, a Completed; x"]);
  });
});
