import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RuntimeStatus } from "../../../src/backend/orchestration-client.js";
import { isEnded } from "../../../src/backend/ended-status.js";
import { NOT_COMPLETED } from "../../../src/hub/instance-status.js";
import { runStatusOf } from "../../../src/hub/run-status.js";
import { RunTally, type PassOver } from "../../../src/hub/run-tally.js";
import { RUN, stateOf } from "../../support/hub/states.js";

function pass(tally: RunTally, over: PassOver, statuses: readonly (readonly [number, RuntimeStatus])[]): void {
  tally.beginPass();
  for (const [sequence, status] of statuses) tally.add(stateOf(sequence, { status }));
  tally.endPass(over);
}

describe("the tally of a run", () => {
  test("concludes that an instance has completed when it is no longer among the unfinished", () => {
    const tally = new RunTally();
    pass(tally, "all", [
      [0, "Completed"],
      [1, "Running"],
      [2, "Pending"],
      [3, "Failed"],
    ]);
    pass(tally, "not completed", [
      [2, "Running"],
      [3, "Failed"],
      [4, "Pending"],
    ]);
    expect(tally.byStatus()).toEqual({ Completed: 2, Running: 1, Failed: 1, Pending: 1 });
    expect(tally.timesKnown).toBe(false);
  });

  test("drops instances that a complete pass does not find, because they were purged", () => {
    const tally = new RunTally();
    pass(tally, "all", [
      [0, "Completed"],
      [1, "Running"],
    ]);
    pass(tally, "all", [[1, "Running"]]);
    expect(tally.ids()).toEqual([`${RUN}-00000-001`]);
  });

  test("concludes nothing from an aborted pass", () => {
    const tally = new RunTally();
    pass(tally, "all", [
      [0, "Running"],
      [1, "Running"],
    ]);
    tally.beginPass();
    tally.add(stateOf(0));
    pass(tally, "some", [[1, "Terminated"]]);
    expect(tally.byStatus()).toEqual({ Running: 1, Terminated: 1 });
  });

  test("agrees with the hub after any changes between passes over the unfinished", () => {
    const statuses = fc.constantFrom<RuntimeStatus>("Pending", "Running", "Completed", "Failed", "Terminated");
    const steps = fc.array(fc.array(fc.tuple(fc.nat(20), statuses), { maxLength: 12 }), { maxLength: 6 });
    fc.assert(
      fc.property(steps, (steps) => {
        const hub = new Map<number, RuntimeStatus>();
        const tally = new RunTally();
        let seen = new Set<number>();
        for (const [index, changes] of steps.entries()) {
          for (const [sequence, status] of changes) {
            const before = hub.get(sequence);
            // What has ended stays so; what starts and completes unseen is for the pass over all to find.
            if (before !== undefined ? !isEnded(before) : status !== "Completed" || index === 0)
              hub.set(sequence, status);
          }
          const told = [...hub].filter(([, status]) => index === 0 || NOT_COMPLETED.some((other) => other === status));
          const isNew = ([sequence, status]: [number, RuntimeStatus]) => status !== "Completed" || seen.has(sequence);
          pass(tally, index === 0 ? "all" : "not completed", told);
          seen = new Set([...seen, ...told.map(([sequence]) => sequence)]);
          const known = [...hub].filter((entry) => index === 0 || isNew(entry));
          expect(tally.total).toBe(known.length);
          expect(tally.count((status) => status === "Completed")).toBe(
            known.filter(([, status]) => status === "Completed").length,
          );
        }
      }),
    );
  });
});

describe("the status of a run", () => {
  test("has its throughput by the backend's clock, from first created to last updated", () => {
    const tally = new RunTally();
    tally.beginPass();
    tally.add(stateOf(0, { status: "Completed", createdMs: 1_000.5, lastUpdatedMs: 3_000 }));
    tally.add(stateOf(1, { status: "Completed", createdMs: 1_500, lastUpdatedMs: 5_000.5 }));
    tally.endPass("all");
    expect(runStatusOf(RUN, tally, { needed: 20, completed: 20 }, undefined)).toEqual({
      runId: RUN,
      createdAt: "1970-01-01T00:00:01.000Z",
      lastUpdatedAt: "1970-01-01T00:00:05.000Z",
      durationMs: 4_000,
      instances: 2,
      ended: 2,
      byStatus: { Completed: 2 },
      activities: { needed: 20, completed: 20 },
      throughput: { orchestrationsPerSecond: 0.5, activitiesPerSecond: 5 },
    });
  });

  test("has no throughput if times are unknown, or if nothing has completed", () => {
    const tally = new RunTally();
    pass(tally, "all", [[0, "Running"]]);
    expect(runStatusOf(RUN, tally, undefined, undefined)).not.toHaveProperty("throughput");
    pass(tally, "not completed", []);
    expect(runStatusOf(RUN, tally, undefined, undefined)).not.toHaveProperty("throughput");
  });

  test("has no activities per second if they are only a lower bound", () => {
    const tally = new RunTally();
    pass(tally, "all", [[0, "Completed"]]);
    const status = runStatusOf(RUN, tally, { needed: 9, completed: 5, atLeast: true }, undefined);
    expect(status.throughput).toEqual({ orchestrationsPerSecond: 1 });
  });
});
