import { describe, expect, test } from "vitest";
import { ACTIVITY, EPISODE, expectedOf, failureOfTooLarge } from "../support/e2e/too-large.js";

describe.each(["link", "http2", "grpc"] as const)("what is larger than a backend takes, over %s", (transport) => {
  test.each([
    ["a result of an activity", ACTIVITY],
    ["an episode", EPISODE],
  ])("fails and says so: %s", async (_, tooLarge) => {
    expect(await failureOfTooLarge(transport, tooLarge)).toMatchObject(expectedOf(tooLarge));
  });
});
