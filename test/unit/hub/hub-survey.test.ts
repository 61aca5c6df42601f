import { describe, expect, test } from "vitest";
import { surveyHub, surveyLine } from "../../../src/hub/hub-survey.js";
import { completedState, fakeClient } from "../../support/load/fake-backend.js";

const never = new AbortController().signal;
/** Instances of the workload, and where an id begins with an order of somebody's own orchestrator. */
const page = (ids: readonly string[], continuationToken?: string) => {
  const instances = ids.map((id) => ({
    ...completedState(id, 1),
    ...(id.startsWith("order") && { name: "Order\u001B[31m" }),
  }));
  return Promise.resolve({ instances, continuationToken });
};

describe("the survey of a hub", () => {
  test("counts over pages and groups by run", async () => {
    const client = fakeClient({
      queryInstances: ({ continuationToken }) =>
        continuationToken === undefined
          ? page(["order-1", "r0123456789ab-00000-000"], "next")
          : page(["r0123456789ab-00000-001", "rzzzzzzzzzzzz-00000-000"]),
    });
    const survey = await surveyHub(client, never);
    expect(survey).toEqual({
      unfinished: 4,
      more: false,
      runs: [
        { runId: "r0123456789ab", unfinished: 2 },
        { runId: "rzzzzzzzzzzzz", unfinished: 1 },
      ],
      foreign: { unfinished: 1, orchestrators: [{ name: "Order\u001B[31m", unfinished: 1 }] },
    });
    expect(surveyLine(survey, "default")).toBe(
      "task hub default already has 4 unfinished instances: 1 that fanout did not start (1 Order), " +
        "3 of runs r0123456789ab, rzzzzzzzzzzzz; give a load test a task hub of its own",
    );
  });

  test("counts instances under a chosen run id as foreign, unless they are of the workload", async () => {
    const client = fakeClient({ queryInstances: () => page(["order-00001-234", "nightly-00000-000"]) });
    expect(await surveyHub(client, never)).toMatchObject({
      runs: [{ runId: "nightly", unfinished: 1 }],
      foreign: { unfinished: 1 },
    });
  });

  test("stops at a thousand and says that there are more", async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `order-${index}`);
    const survey = await surveyHub(fakeClient({ queryInstances: () => page(ids, "next") }), never);
    expect(survey).toMatchObject({ unfinished: 1_000, more: true, runs: [], foreign: { unfinished: 1_000 } });
    expect(surveyLine(survey, "default")).toContain("1,000 or more unfinished instances: 1,000 that fanout did not");
  });

  test("of a backend that cannot tell is unknown, and no error", async () => {
    const client = fakeClient({ queryInstances: () => Promise.reject(new Error("12 UNIMPLEMENTED: QueryInstances")) });
    const survey = await surveyHub(client, never);
    expect(survey).toEqual({ unknown: "12 UNIMPLEMENTED: QueryInstances" });
    expect(surveyLine(survey, "default")).toContain("is unknown: 12 UNIMPLEMENTED");
  });

  test("reports nothing for an empty hub", () => {
    expect(surveyLine({ unfinished: 0, more: false, runs: [] }, "default")).toBeUndefined();
  });
});
