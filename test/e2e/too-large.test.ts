import { expect, test } from "vitest";
import { TOO_LARGE, failuresOfTooLarge } from "../support/e2e/too-large.js";

// The other transports are in too-large.long.ts.
test("a payload that is too large for the backend fails with a reason, over link", async () => {
  expect(await failuresOfTooLarge("link")).toMatchObject(TOO_LARGE);
});
