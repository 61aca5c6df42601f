import { describe, expect, test } from "vitest";
import { surveyHub, surveyLine } from "../../src/load/hub-survey.js";
import { completedState, fakeClient } from "./fake-backend.js";

const never = new AbortController().signal;
const page = (ids: readonly string[], continuationToken?: string) =>
  Promise.resolve({ instances: ids.map((id) => completedState(id, 1)), continuationToken });

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
    });
    expect(surveyLine(survey, "default")).toBe(
      "task hub default already has 4 unfinished instances (2 other runs: r0123456789ab: 2, rzzzzzzzzzzzz: 1); " +
        "they share its workers with this run",
    );
  });

  test("stops at a thousand and says that there are more", async () => {
    const ids = Array.from({ length: 200 }, (_, index) => `order-${index}`);
    const survey = await surveyHub(fakeClient({ queryInstances: () => page(ids, "next") }), never);
    expect(survey).toEqual({ unfinished: 1_000, more: true, runs: [] });
    expect(surveyLine(survey, "default")).toContain("1,000+ unfinished instances;");
  });

  test("of a backend that cannot tell is unknown, and no error", async () => {
    const client = fakeClient({ queryInstances: () => Promise.reject(new Error("12 UNIMPLEMENTED: QueryInstances")) });
    const survey = await surveyHub(client, never);
    expect(survey).toEqual({ unknown: "12 UNIMPLEMENTED: QueryInstances" });
    expect(surveyLine(survey, "default")).toContain("is not known: 12 UNIMPLEMENTED");
  });

  test("has nothing to say about an empty hub", () => {
    expect(surveyLine({ unfinished: 0, more: false, runs: [] }, "default")).toBeUndefined();
  });
});
