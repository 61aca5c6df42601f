import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ClockOffset } from "../../../src/breakdown/clock-offset.js";

const START_US = 1_700_000_000_000_000;
const exchange = fc.record({
  atUs: fc.integer({ min: 0, max: 120_000_000 }),
  thereUs: fc.integer({ min: 0, max: 50_000 }),
  stayUs: fc.integer({ min: 0, max: 200_000 }),
  backUs: fc.integer({ min: 0, max: 50_000 }),
});

/** Messages there and back by clocks of which the other one shows `other` of the backend's time. */
function observed(
  exchanges: readonly { atUs: number; thereUs: number; stayUs: number; backUs: number }[],
  other: (us: number) => number,
) {
  const offset = new ClockOffset();
  for (const { atUs, thereUs, stayUs, backUs } of exchanges) {
    const sentUs = START_US + atUs;
    offset.received(sentUs, other(sentUs + thereUs));
    offset.sent(other(sentUs + thereUs + stayUs), sentUs + thereUs + stayUs + backUs);
  }
  return offset;
}

describe("the offset of two clocks", () => {
  test("is within its bound of the truth, while they drift by less than 500 ppm", () => {
    const ppm = fc.integer({ min: -490, max: 490 });
    const ahead = fc.integer({ min: -3_600_000_000, max: 3_600_000_000 });
    fc.assert(
      fc.property(fc.array(exchange, { minLength: 1, maxLength: 30 }), ppm, ahead, (exchanges, drift, aheadUs) => {
        const other = (us: number): number => us + aheadUs + Math.round(((us - START_US) * drift) / 1e6);
        const offset = observed(exchanges, other);
        for (const { atUs, thereUs, stayUs, backUs } of exchanges) {
          const us = START_US + atUs + thereUs + stayUs + backUs;
          const { offsetUs, boundUs } = offset.at(us)!;
          expect(Math.abs(offsetUs - (other(us) - us))).toBeLessThanOrEqual(boundUs + 1);
        }
      }),
    );
  });

  test("is as close as the quickest messages there and back", () => {
    const slow = { atUs: 0, thereUs: 40_000, stayUs: 0, backUs: 40_000 };
    const quick = [
      { atUs: 1_000_000, thereUs: 100, stayUs: 0, backUs: 40_000 },
      { atUs: 2_000_000, thereUs: 40_000, stayUs: 0, backUs: 300 },
    ];
    const { boundUs } = observed([slow, ...quick], (us) => us).at(START_US + 1_500_000)!;
    // Half of 400 us, and half a second of drift on either side.
    expect(boundUs).toBeLessThan(200 + 600);
  });

  test("after a clock was set, each window counts by itself", () => {
    const exchanges = Array.from({ length: 60 }, (_, index) => ({
      atUs: index * 1_000_000,
      thereUs: 500,
      stayUs: 0,
      backUs: 500,
    }));
    const other = (us: number): number => us + (us - START_US < 30_000_000 ? 0 : 7_000_000);
    const offset = observed(exchanges, other);
    expect(Math.abs(offset.at(START_US + 1_001_000)!.offsetUs)).toBeLessThan(1_500);
    expect(Math.abs(offset.at(START_US + 58_001_000)!.offsetUs - 7_000_000)).toBeLessThan(1_500);
  });

  test("is not known from one side alone", () => {
    const offset = new ClockOffset();
    offset.received(START_US, START_US + 5);
    expect(offset.at(START_US)).toBeUndefined();
    expect(new ClockOffset().at(START_US)).toBeUndefined();
  });
});
