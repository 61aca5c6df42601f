import { expect, test } from "vitest";
import { TOO_LARGE, failuresOfTooLarge } from "../support/e2e/too-large.js";

// The other transports are in too-large.long.ts.
test("what is larger than a backend takes fails and says so, over link", async () => {
  expect(await failuresOfTooLarge("link")).toMatchObject(TOO_LARGE);
});
