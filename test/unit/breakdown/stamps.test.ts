import { expect, test } from "vitest";
import { stampsOf } from "../../../src/breakdown/stamps.js";

const stamps = { startedAt: 1_000.25, finishedAt: 1_002, workerId: "host-1" };
const read = { startedUs: 1_000_250, finishedUs: 1_002_000, workerId: "host-1" };

test.each([
  { version: "1.2.3", says: { version: "1.2.3" } },
  { version: "1.2.3-beta.1+build", says: { version: "1.2.3-beta.1+build" } },
  { version: undefined, says: {} },
  { version: "", says: {} },
  { version: 1, says: {} },
  { version: "1.2.3\u001b[31m", says: {} },
  { version: `1.2.3-${"x".repeat(50)}`, says: {} },
])("stamps with the version $version", ({ version, says }) => {
  expect(stampsOf(JSON.stringify({ ...stamps, version }))).toEqual({ ...read, ...says });
});

test.each([
  { output: undefined },
  { output: '"Hello World"' },
  { output: JSON.stringify({ ...stamps, finishedAt: 999 }) },
  { output: JSON.stringify({ ...stamps, workerId: "" }) },
])("$output has no stamps", ({ output }) => expect(stampsOf(output)).toBeUndefined());
