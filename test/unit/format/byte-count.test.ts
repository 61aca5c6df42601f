import { expect, test } from "vitest";
import { parseBytes } from "../../../src/format/byte-count.js";

test.each([
  ["0", 0],
  ["1000", 1_000],
  ["1,000", 1_000],
  ["1_000_000B", 1_000_000],
  ["64k", 64_000],
  ["64K", 64_000],
  ["64 kB", 64_000],
  [" 2MB ", 2_000_000],
  ["2M", 2_000_000],
  ["2mb", 2_000_000],
  ["0.1kB", 100],
  ["1.5MB", 1_500_000],
  ["500MB", 500_000_000],
  ["4GB", 4_000_000_000],
  ["2TB", 2_000_000_000_000],
  ["1KiB", 1_024],
  ["1MiB", 1_048_576],
  ["1.5GiB", 1_610_612_736],
])("%j is %d bytes", (text, bytes) => {
  expect(parseBytes(text)).toBe(bytes);
});

test.each([
  "",
  "k",
  "MB",
  "-1",
  "1e3",
  "1,00",
  "1 0",
  "0.5",
  "1.0001k5",
  "1mbit",
  "1ib",
  "1PB",
  "9999999TB",
  "toString",
])("%j is none", (text) => {
  expect(parseBytes(text)).toBeUndefined();
});
