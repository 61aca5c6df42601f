import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  DEFAULT_RETENTION,
  chosenRetention,
  deletedUntilUs,
  parseRetention,
} from "../../../../src/emulator/hub/retention.js";

const DAY_MS = 86_400_000;
const HOUR_US = 3_600_000_000;
const NOW_US = 1_800_000_000_000_000;

describe("what to keep", () => {
  test.each([
    ["7d", 7 * DAY_MS, undefined],
    ["2GB", undefined, 2e9],
    ["7d,2GB", 7 * DAY_MS, 2e9],
    ["500MB, 90m", 90 * 60_000, 5e8],
    ["1.5h,1.5TB", 1.5 * 3_600_000, 1.5e12],
    ["2gb,36h", 36 * 3_600_000, 2e9],
    ["512MiB", undefined, 536_870_912],
    ["none", undefined, undefined],
    [DEFAULT_RETENTION, 7 * DAY_MS, 4e9],
  ])("is read from %j", (text, ageMs, bytes) => {
    expect(parseRetention("--retention", text)).toEqual({ ageMs, bytes });
  });

  test.each([
    "",
    "7",
    "d",
    "7 d",
    "7d,",
    "7d,2d",
    "2GB,3MB",
    "0d",
    "0GB",
    "-1d",
    "7D",
    "none,7d",
    "7s",
    "1e3d",
    "7d 2GB",
    "toString",
  ])("is not read from %j", (text) => {
    expect(() => parseRetention("FANOUT_RETENTION", text)).toThrow(
      `FANOUT_RETENTION: expected an age in m, h or d, a size such as 500MB, both as in 7d,2GB, or none, found "${text}"`,
    );
  });
});

test.each([
  ["1d", "2d", DAY_MS],
  [undefined, "2d", 2 * DAY_MS],
  [undefined, "", 7 * DAY_MS],
  [undefined, undefined, 7 * DAY_MS],
])("a flag %j wins over a variable %j", (flag, variable, ageMs) => {
  const chosen = chosenRetention(flag, { FANOUT_RETENTION: variable });
  expect(chosen.ageMs).toBe(ageMs);
  // Whoever says what to keep keeps runs as all else.
  expect(chosen.runAgeMs).toBe(flag || variable ? undefined : DAY_MS);
});

describe("what has ended is deleted", () => {
  test("from its age on, whatever the size", () => {
    const retention = { ageMs: DAY_MS, bytes: undefined };
    expect(deletedUntilUs(retention, NOW_US, 0)).toBe(NOW_US - DAY_MS * 1000);
    expect(deletedUntilUs(retention, NOW_US, 1e12)).toBe(NOW_US - DAY_MS * 1000);
  });

  test("above the size, but for the last hour", () => {
    const retention = { ageMs: undefined, bytes: 1_000 };
    expect(deletedUntilUs(retention, NOW_US, 1_000)).toBe(0);
    expect(deletedUntilUs(retention, NOW_US, 1_001)).toBe(NOW_US - HOUR_US);
  });

  test("also within the last hour where the age is less than that", () => {
    const retention = { ageMs: 60_000, bytes: 1_000 };
    expect(deletedUntilUs(retention, NOW_US, 1_001)).toBe(NOW_US - 60_000_000);
  });

  test("never where there is no limit, and never what ends later than now", () => {
    const limit = fc.option(fc.integer({ min: 1, max: 1e12 }), { nil: undefined });
    fc.assert(
      fc.property(limit, limit, fc.nat(), fc.nat(), (ageMs, bytes, nowUs, usedBytes) => {
        const untilUs = deletedUntilUs({ ageMs, bytes }, nowUs, usedBytes);
        expect(untilUs).toBeGreaterThanOrEqual(0);
        expect(untilUs).toBeLessThanOrEqual(nowUs);
        expect(deletedUntilUs({ ageMs: undefined, bytes: undefined }, nowUs, usedBytes)).toBe(0);
      }),
    );
  });
});
