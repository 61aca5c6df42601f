import { expect, test } from "vitest";
import { parseDistribution } from "../../../src/plan/duration-distribution.js";

test.each([
  ["50ms", { kind: "constant", ms: 50 }],
  ["0ms", { kind: "constant", ms: 0 }],
  [" 1.5s ", { kind: "constant", ms: 1500 }],
  ["uniform:10ms-90ms", { kind: "uniform", fromMs: 10, toMs: 90 }],
  ["uniform:1s-1m30s", { kind: "uniform", fromMs: 1_000, toMs: 90_000 }],
  ["exp:50ms", { kind: "exponential", meanMs: 50 }],
  ["50", undefined],
  ["", undefined],
  ["normal:50ms", undefined],
  ["uniform:10ms", undefined],
  ["uniform:90ms-10ms", undefined],
  ["uniform:10ms-", undefined],
  ["uniform:10ms-20ms-30ms", undefined],
  ["exp:10ms-20ms", undefined],
  ["10ms-20ms", undefined],
  ["10ms-", undefined],
  ["-10ms", undefined],
])("%j is %j", (text, distribution) => {
  expect(parseDistribution(text)).toEqual(distribution);
});
