import { expect, test } from "vitest";
import { formatShare } from "../../../src/format/share.js";

test.each([
  [0, "0 %"],
  [1, "100 %"],
  [0.125, "12.5 %"],
  [0.123_456, "12.3 %"],
  [0.000_01, "0.001 %"],
])("%d is %s", (share, text) => {
  expect(formatShare(share)).toBe(text);
});
