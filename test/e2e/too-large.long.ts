import { expect, test } from "vitest";
import { TOO_LARGE, failuresOfTooLarge } from "../support/e2e/too-large.js";

test.each(["http2", "grpc"] as const)(
  "what is larger than a backend takes fails and says so, over %s",
  async (transport) => {
    expect(await failuresOfTooLarge(transport)).toMatchObject(TOO_LARGE);
  },
);
