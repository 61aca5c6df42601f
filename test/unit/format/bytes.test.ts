import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatBytes } from "../../../src/format/bytes.js";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1_000, "1 kB"],
  [4_096, "4.10 kB"],
  [14_234_567, "14.2 MB"],
  [999_499, "999 kB"],
  [999_500, "1.00 MB"],
  [4_000_000_000, "4 GB"],
  [1_234_000_000_000, "1,234 GB"],
])("%d bytes are %j", (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test("no size is off by more than half of its third digit", () => {
  const factors: Readonly<Record<string, number>> = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9 };
  fc.assert(
    fc.property(fc.nat({ max: 1e15 }), (bytes) => {
      const [value = "", unit = ""] = formatBytes(bytes).split(" ");
      const shown = Number(value.replaceAll(",", "")) * factors[unit]!;
      expect(Math.abs(shown - bytes)).toBeLessThanOrEqual(bytes * 0.005 + 1e-6);
    }),
  );
});
