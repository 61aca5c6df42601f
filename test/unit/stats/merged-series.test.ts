import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ChangedIntervals } from "../../../src/stats/changed-intervals.js";
import { MergedSeries, seriesPartOf, type SeriesPart } from "../../../src/stats/merged-series.js";
import { Series, type SeriesSoFar } from "../../../src/stats/series.js";

const GENERATORS = 3;
const MOST_INTERVALS = 8;

/** Something that one generator does, or tells. */
const step = fc.record({
  generator: fc.nat(GENERATORS - 1),
  kind: fc.constantFrom("start", "noticed", "latency", "tell"),
  atMs: fc.nat(60_000),
});

function add(series: Series, kind: string, atMs: number): void {
  if (kind === "start") {
    series.addOffered(atMs);
    series.addStart(atMs);
    return;
  }
  if (kind === "noticed") series.addNoticed(atMs);
  if (kind === "latency") series.addLatency("response", "noticed", atMs, atMs / 100);
}

function courseOf({ widthMs, tallies }: SeriesSoFar) {
  return { widthMs, intervals: tallies.map((tally) => ({ ...tally.tally(), noticed: tally.noticed })) };
}

test("what generators tell of their series adds up to the series of all, whenever they tell it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const whole = new Series(MOST_INTERVALS);
      const merged = new MergedSeries();
      const generators = Array.from({ length: GENERATORS }, () => ({
        series: new Series(MOST_INTERVALS),
        changed: new ChangedIntervals(),
      }));
      const tell = (generator: number): void => {
        const { series, changed } = generators[generator]!;
        const part = seriesPartOf(series.soFar.widthMs, changed.next(series.soFar));
        merged.take(generator, JSON.parse(JSON.stringify(part)) as SeriesPart);
      };
      for (const { generator, kind, atMs } of steps) {
        if (kind === "tell") {
          tell(generator);
          expect(merged.soFar.tallies.length).toBeLessThanOrEqual(MOST_INTERVALS);
        } else {
          add(whole, kind, atMs);
          add(generators[generator]!.series, kind, atMs);
        }
      }
      for (const [generator] of generators.entries()) tell(generator);
      expect(courseOf(merged.soFar)).toEqual(courseOf(whole.soFar));
    }),
  );
});
