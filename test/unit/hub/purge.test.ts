import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { purgeInstances } from "../../../src/hub/purge.js";
import { selectOlder, selectRun } from "../../../src/hub/instance-selection.js";
import { fakeClient } from "../../support/load/fake-backend.js";
import { RUN, stateOf } from "../../support/hub/states.js";

const never = new AbortController().signal;
const ids = (count: number): string[] => Array.from({ length: count }, (_, n) => `i${n}`);
const refusal = (code: number): Promise<never> =>
  Promise.reject(Object.assign(new Error(`${status[code]}: no`), { code, details: "no" }));

describe("purging", () => {
  test("takes 500 instances by one call", async () => {
    const sizes: number[] = [];
    const client = fakeClient({
      purgeBatch: (batch) => {
        sizes.push(batch.length);
        return Promise.resolve(batch.length);
      },
    });
    let told = 0;
    const outcome = await purgeInstances(client, ids(1_200), { signal: never, onPurged: (count) => (told += count) });
    expect(outcome).toEqual({ purged: 1_200, refused: 0 });
    expect(sizes).toEqual([500, 500, 200]);
    expect(told).toBe(1_200);
  });

  test.each([status.UNIMPLEMENTED, status.INVALID_ARGUMENT])(
    "goes by id where a batch is answered with %d, at most 50 at a time",
    async (code) => {
      let [now, most, batches] = [0, 0, 0];
      const purged = new Set<string>();
      const client = fakeClient({
        purgeBatch: () => {
          batches += 1;
          return refusal(code);
        },
        purge: async (id) => {
          most = Math.max(most, (now += 1));
          await new Promise((resolve) => setImmediate(resolve));
          now -= 1;
          purged.add(id);
          return true;
        },
      });
      expect(await purgeInstances(client, ids(4_000), { signal: never })).toEqual({ purged: 4_000, refused: 0 });
      expect(purged.size).toBe(4_000);
      expect(most).toBeLessThanOrEqual(50);
      expect(batches).toBeLessThanOrEqual(4);
    },
  );

  test("deletes by id if the backend has done only a part of a batch", async () => {
    const client = fakeClient({
      purgeBatch: () => Promise.resolve(2),
      purge: (id) => Promise.resolve(id === "i2"),
    });
    expect(await purgeInstances(client, ids(3), { signal: never })).toEqual({ purged: 3, refused: 0 });
  });

  test("counts refused instances with the reason; a missing instance is not refused", async () => {
    const client = fakeClient({
      purgeBatch: () => Promise.resolve(0),
      purge: (id) => (id === "i0" ? refusal(status.NOT_FOUND) : refusal(status.UNKNOWN)),
    });
    expect(await purgeInstances(client, ids(3), { signal: never })).toEqual({
      purged: 0,
      refused: 2,
      reason: "UNKNOWN: no",
    });
  });

  test.each([status.PERMISSION_DENIED, status.UNIMPLEMENTED])("gives up on %d, which holds for all", async (code) => {
    const client = fakeClient({ purgeBatch: () => refusal(status.UNIMPLEMENTED), purge: () => refusal(code) });
    await expect(purgeInstances(client, ids(3), { signal: never })).rejects.toMatchObject({ code });
  });
});

describe("the instances that a purge selects", () => {
  test("of a run are the ended ones; the others are named", async () => {
    const instances = [stateOf(0, { status: "Completed" }), stateOf(1), stateOf(2, { status: "Terminated" })];
    const client = fakeClient({ queryInstances: () => Promise.resolve({ instances, continuationToken: undefined }) });
    expect(await selectRun(client, RUN, never)).toEqual({
      ended: [`${RUN}-00000-000`, `${RUN}-00000-002`],
      unfinished: { ids: [`${RUN}-00000-001`], byStatus: { Running: 1 } },
      others: 0,
      unrecognised: [],
    });
  });

  test("of an age are those of load tests, by a run id of fanout or the workload's name", async () => {
    const instances = [
      stateOf(0, { status: "Completed", name: "Mine" }),
      stateOf(0, { status: "Failed", instanceId: "by-the-api" }),
      stateOf(0, { status: "Completed", instanceId: "order-1", name: "Order" }),
      // Of a run with an id of its own, or of somebody's numbers: who can tell?
      stateOf(0, { status: "Completed", instanceId: "order-00001-234", name: "Order" }),
      stateOf(0, { status: "Completed", instanceId: "nightly-00001-234" }),
      stateOf(0, { status: "Completed", instanceId: `${RUN}.2-00001-234`, name: "Mine" }),
    ];
    const client = fakeClient({
      queryInstances: ({ createdToMs }) => {
        expect(createdToMs).toBe(5_000);
        return Promise.resolve({ instances, continuationToken: undefined });
      },
    });
    expect(await selectOlder(client, 5_000, never)).toEqual({
      ended: ["by-the-api", "nightly-00001-234", `${RUN}-00000-000`, `${RUN}.2-00001-234`],
      unfinished: { ids: [], byStatus: {} },
      others: 2,
      unrecognised: [],
    });
  });
});
