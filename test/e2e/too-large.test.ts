import { expect, test } from "vitest";
import { ACTIVITY, expectedOf, failureOfTooLarge } from "../support/e2e/too-large.js";

// The episode, and the other transports, are in too-large.long.ts.
test("a result that is too large for the backend fails with a reason, over link", async () => {
  expect(await failureOfTooLarge("link", ACTIVITY)).toMatchObject(expectedOf(ACTIVITY));
});
