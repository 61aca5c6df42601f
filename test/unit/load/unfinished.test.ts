import { describe, expect, test } from "vitest";
import { describeUnfinished } from "../../../src/load/unfinished.js";
import { completedState, fakeClient } from "../../support/load/fake-backend.js";

describe("the list of unfinished instances", () => {
  test("is described by its status and custom status, as far as the backend tells", async () => {
    const client = fakeClient({
      getInstance: (instanceId) => {
        if (instanceId === "gone") return Promise.resolve(undefined);
        if (instanceId === "error") return Promise.reject(new Error("INTERNAL"));
        const customStatus = JSON.stringify({ iterationsCompleted: 3, iterations: 10, activitiesCompleted: 15 });
        return Promise.resolve({ ...completedState(instanceId, 1), status: "Running", customStatus });
      },
    });
    expect(await describeUnfinished(client, ["a", "gone", "error"])).toEqual([
      { instanceId: "a", status: "Running", iterationsCompleted: 3 },
      { instanceId: "gone", status: "Unknown" },
      { instanceId: "error", status: "Unknown" },
    ]);
  });

  test("is listed up to a hundred", async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `a-${index}`);
    const client = fakeClient({ getInstance: () => Promise.resolve(undefined) });
    expect(await describeUnfinished(client, ids)).toHaveLength(100);
  });
});
