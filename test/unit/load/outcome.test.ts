import { expect, test } from "vitest";
import type { InstanceState } from "../../../src/backend/orchestration-client.js";
import { completionOf } from "../../../src/load/outcome.js";
import { completedState } from "../../support/load/fake-backend.js";

const start = { instanceId: "a", sequence: 0, intendedMs: 0, sentMs: 1, acceptedMs: 2, heldBack: false };
const done = completedState("a", 50);

test.each<[string, InstanceState | undefined, string, string | undefined]>([
  ["an output that adds up", done, "completed", undefined],
  ["an output that does not", completedState("a", 51), "failed", "LostActivities"],
  ["no output", { ...done, output: undefined }, "failed", "UnreadableOutput"],
  ["an output that is no JSON", { ...done, output: "{" }, "failed", "UnreadableOutput"],
  ["an output that was not read", { ...done, output: undefined, withoutPayloads: true }, "completed", undefined],
  ["a failure", { ...done, status: "Failed", failure: { type: "FanInError", message: "x" } }, "failed", "FanInError"],
  ["a failure without details", { ...done, status: "Failed" }, "failed", "Unknown"],
  ["a termination", { ...done, status: "Terminated" }, "terminated", undefined],
  ["an end that is none", { ...done, status: "Running" }, "failed", "NotEnded"],
  ["an instance nobody knows", undefined, "failed", "Lost"],
])("%s", (_, state, outcome, failure) => {
  const completion = completionOf(start, state, 3, 50);
  expect(completion.outcome).toBe(outcome);
  expect(completion.failure?.type).toBe(failure);
});

test.each([
  ["when it was created", { createdMs: undefined }],
  ["when it ended", { completedMs: undefined, lastUpdatedMs: undefined }],
])("without %s, the backend reports no times", (_, absent) => {
  expect(completionOf(start, { ...done, ...absent }, 3, 50)).toMatchObject({ outcome: "completed", server: undefined });
});

test("without a completion time of the backend, the last update replaces it", () => {
  const { server } = completionOf(start, { ...done, completedMs: undefined, lastUpdatedMs: 1_900 }, 3, 50);
  expect(server).toEqual({ createdMs: 1_000, completedMs: 1_900 });
});
