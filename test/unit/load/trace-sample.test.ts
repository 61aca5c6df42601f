import { describe, expect, test } from "vitest";
import { TraceSample } from "../../../src/load/trace-sample.js";
import type { Completion, Start } from "../../../src/stats/completion.js";

function start(sequence: number): Start {
  const instanceId = `r-00000-${sequence}`;
  return { instanceId, sequence, intendedMs: 0, sentMs: 0, acceptedMs: undefined, heldBack: false };
}

function sequences(sample: TraceSample): readonly number[] {
  return sample.starts.map((traced) => traced.start.sequence);
}

describe("the sample of instances that are traced", () => {
  test.each([0, 0.05, 0.5, 1])("is a share of %d of the numbers, the same in each run", (share) => {
    const numbers = Array.from({ length: 20_000 }, (_, number) => number);
    const [one, other] = [new TraceSample(share), new TraceSample(share)];
    const traced = numbers.filter(one.isTraced);
    expect(traced).toEqual(numbers.filter(other.isTraced));
    // Four standard deviations.
    const slack = 4 * Math.sqrt(20_000 * share * (1 - share));
    expect(Math.abs(traced.length - 20_000 * share)).toBeLessThanOrEqual(slack);
  });

  test("remembers a bounded number of them, from the whole run", () => {
    const sample = new TraceSample(1, 100);
    for (let number = 0; number < 50_000; number += 1) sample.add(start(number));
    const kept = sequences(sample);
    expect(kept).toHaveLength(100);
    const mean = kept.reduce((sum, number) => sum + number, 0) / kept.length;
    // The mean of uniform numbers: 25,000 with a standard deviation of 1,443.
    expect(Math.abs(mean - 25_000)).toBeLessThan(4 * 1_443);
  });

  test("has how an instance ended, and forgets a start that was refused", () => {
    const sample = new TraceSample(1);
    const ended: readonly Partial<Completion>[] = [
      { outcome: "completed" },
      { outcome: "failed", failure: { type: "StartRefused", message: "" } },
      { outcome: "failed", failure: { type: "TypeError", message: "" } },
    ];
    for (const [number, completion] of ended.entries()) {
      sample.add(start(number));
      sample.end({
        start: start(number),
        noticedMs: 1,
        server: undefined,
        failure: undefined,
        ...completion,
      } as Completion);
    }
    sample.add(start(3));
    const outcomes = sample.starts.map((traced) => [traced.start.sequence, traced.completion?.outcome] as const);
    expect(new Map(outcomes)).toEqual(
      new Map([
        [0, "completed"],
        [2, "failed"],
        [3, undefined],
      ]),
    );
  });
});
