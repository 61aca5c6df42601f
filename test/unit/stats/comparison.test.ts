import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { compareCandidates, compareRuns } from "../../../src/stats/comparison.js";
import type { Comparison, RunResult } from "../../../src/result/run-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { fiveRunsOf, runsOf, type RunFigures } from "../../support/report/compared-runs.js";
import { mixedResult } from "../../support/report/mixed-result.js";

const BASE: RunFigures = { rate: 1_600, p50: 6_000, p99: 11_000 };
const base = fiveRunsOf("base", BASE);

const INVALID = {
  status: "invalid",
  reasons: [
    { severity: "invalid", name: "slip", text: "slip p99 40 ms (limit 5 ms)", advice: "a smaller rate" },
    { severity: "suspect", name: "cpu", text: "busy", advice: "" },
  ],
} as const;

/** As many times as slow, in every figure. */
function slowed(factor: number): readonly RunResult[] {
  return fiveRunsOf("new", { rate: 1_600 / factor, p50: 6_000 * factor, p99: 11_000 * factor });
}

function findingsOf({ figures }: Comparison): Readonly<Record<string, string>> {
  return Object.fromEntries(figures.map(({ figure, finding }) => [figure, finding]));
}

function at(runs: readonly RunResult[], startedAt: string): readonly RunResult[] {
  return runs.map((run) => ({ ...run, startedAt }));
}

function onMachine(runs: readonly RunResult[], model: string): readonly RunResult[] {
  return runs.map((run) => ({ ...run, environment: { ...run.environment, cpu: { model, cores: 2 } } }));
}

function steady(name: string, rate: number): readonly RunResult[] {
  return runsOf(name, [{ rate }, { rate: rate * 1.001 }, { rate }]);
}

function noiseless(name: string, rate: number): readonly RunResult[] {
  return runsOf(
    name,
    [BASE, BASE, BASE].map((run) => ({ ...run, rate })),
  );
}

function closed(name: string): readonly RunResult[] {
  return [1, 2].map((number) => ({ ...closedLoadResult, runId: `${name}${number}` }));
}

function withoutLatency(name: string): readonly RunResult[] {
  return runsOf(name, [{ rate: 1_600 }, { rate: 1_650 }]);
}

function foundIn({ figures }: Comparison): string[] {
  return figures.filter(({ finding }) => finding !== "no difference shown").map(({ figure }) => figure);
}

/** Runs a few percent apart, around figures that are far from those of another side, or near. */
function side(name: string, minLength: number): fc.Arbitrary<readonly RunResult[]> {
  const noise = fc.double({ min: 0.97, max: 1.03, noNaN: true });
  const level = fc.constantFrom(0.5, 0.9, 1, 1.06, 1.25);
  const runs = fc.array(fc.record({ rate: noise, p50: noise, p99: noise }), { minLength, maxLength: 6 });
  return fc.tuple(runs, fc.record({ rate: level, p50: level, p99: level })).map(([runs, levels]) =>
    runsOf(
      name,
      runs.map(({ rate, p50, p99 }) => ({
        rate: 1_000 * rate * levels.rate,
        p50: 100 * p50 * levels.p50,
        p99: 300 * p99 * levels.p99,
      })),
    ),
  );
}

describe("a comparison", () => {
  test.each([
    [1.25, "slower"],
    [0.8, "faster"],
    [1, "no difference shown"],
    [1.04, "no difference shown"],
    [1 / 1.04, "no difference shown"],
  ])("of runs that take %f times as long finds each figure: %s", (factor, finding) => {
    const comparison = compareRuns(base, slowed(factor));
    const figures = ["activities/s", "response p50", "response p99"];
    expect(findingsOf(comparison)).toEqual(Object.fromEntries(figures.map((name) => [name, finding])));
    const [throughput, p50] = comparison.figures;
    expect(throughput).toMatchObject({ ratio: expect.closeTo(1 / factor, 9) });
    expect(p50).toMatchObject({ ratio: expect.closeTo(factor, 9) });
    expect(p50!.new / p50!.base).toBeCloseTo(factor, 9);
    expect(p50!.interval!.low).toBeLessThan(factor);
    expect(p50!.interval!.high).toBeGreaterThan(factor);
    expect(comparison).toMatchObject({ unusable: [], leftOut: [], differences: [] });
  });

  test("finds the figure that changed, and not the others", () => {
    const fresh = fiveRunsOf("new", { ...BASE, p99: 22_000 });
    expect(findingsOf(compareRuns(base, fresh))).toEqual({
      "activities/s": "no difference shown",
      "response p50": "no difference shown",
      "response p99": "slower",
    });
  });

  test("needs a change beyond the noise threshold, not only one that is there", () => {
    const [before, after] = [steady("base", 1_000), steady("new", 960)];
    const found = [0.05, 0.03, 0].map((noiseThreshold) => foundIn(compareRuns(before, after, { noiseThreshold })));
    expect(found).toEqual([[], ["activities/s"], ["activities/s"]]);
  });

  test("corrects for the number of figures: a slowdown that counts alone may be noise among three", () => {
    const noisy = [1, 1.06, 0.95];
    const before = noisy.map((noise) => ({ rate: 1_000 * noise }));
    const after = noisy.map((noise) => ({ rate: 830 * noise }));
    const flat = { p50: 100, p99: 300 };
    const alone = compareRuns(runsOf("base", before), runsOf("new", after));
    const among = compareRuns(
      runsOf(
        "base",
        before.map((run) => ({ ...run, ...flat })),
      ),
      runsOf(
        "new",
        after.map((run) => ({ ...run, ...flat })),
      ),
    );
    expect([findingsOf(alone)["activities/s"], findingsOf(among)["activities/s"]]).toEqual([
      "slower",
      "no difference shown",
    ]);
    expect(among.figures[0]!.interval!.confidence).toBeCloseTo(1 - 0.05 / 3, 12);
  });

  test("of runs without any noise divides by nothing", () => {
    const [throughput, p50] = compareRuns(noiseless("base", 1_600), noiseless("new", 1_200)).figures;
    expect(throughput).toMatchObject({ finding: "slower", p: 0 });
    expect(throughput!.interval).toMatchObject({ low: expect.closeTo(0.75, 9), high: expect.closeTo(0.75, 9) });
    expect(p50).toMatchObject({ finding: "no difference shown", p: 1, interval: { low: 1, high: 1 } });
  });

  test.each([
    [1, 1],
    [1, 5],
    [5, 1],
  ])("of %i and %i runs tells the change, and that the noise is unknown", (before, after) => {
    const comparison = compareRuns(base.slice(0, before), slowed(2).slice(0, after));
    for (const compared of comparison.figures) {
      expect(compared.finding).toBe("run-to-run noise unknown");
      expect(Object.keys(compared)).not.toContain("interval");
      expect(Object.keys(compared)).not.toContain("p");
    }
    expect(comparison.figures).toHaveLength(3);
  });
});

describe("the figures of a comparison", () => {
  test("are those of the service time where a load is closed", () => {
    const { figures } = compareRuns(closed("base"), closed("new"));
    expect(figures.map((compared) => [compared.figure, compared.base])).toEqual([
      ["activities/s", expect.closeTo(4_290, 6)],
      ["service p50", expect.closeTo(221, 6)],
      ["service p99", expect.closeTo(310, 6)],
    ]);
  });

  test("are none of latency where only one side is closed, but for what both have", () => {
    const { figures, leftOut } = compareRuns(base, closed("new"));
    expect(figures.map((compared) => compared.figure)).toEqual(["activities/s"]);
    expect(leftOut.map((left) => left.figure)).toEqual(["service p50", "service p99"]);
  });

  test("are orchestrations where a run does not know its activities", () => {
    const [first, ...others] = slowed(1);
    const { figures } = compareRuns(base, [{ ...first!, throughput: { orchestrationsPerSecond: 16 } }, ...others]);
    expect(figures[0]).toMatchObject({ figure: "orchestrations/s", base: expect.closeTo(16, 0) });
  });

  test("leave out, with the reason, figures that a run does not have", () => {
    const few = runsOf("new", [
      { rate: 1_600, p50: 6_000 },
      { rate: 1_650, p50: 6_100, p99: 11_000 },
    ]);
    const { figures, leftOut } = compareRuns(base, few);
    expect(figures.map((compared) => compared.figure)).toEqual(["activities/s", "response p50"]);
    const reason = "1 of 7 runs do not have it, it takes 1,000 samples";
    expect(leftOut).toEqual([{ figure: "response p99", reason }]);
  });

  test("leave out figures of 0, which have no ratio", () => {
    const { leftOut } = compareRuns(base, runsOf("new", [{ rate: 1_600, p50: 0, p99: 11_000 }, BASE]));
    expect(leftOut).toEqual([{ figure: "response p50", reason: "it is 0 in 1 of 7 runs" }]);
  });

  test("correct for as many as there are", () => {
    const { figures } = compareRuns(withoutLatency("base"), withoutLatency("new"));
    expect(figures.map(({ interval }) => interval!.confidence)).toEqual([expect.closeTo(0.95, 12)]);
  });
});

describe("a run that cannot be compared", () => {
  const { counts } = base[0]!;
  const lost = { total: 2, first: ["a-1", "a-2"] };
  const none = { total: 0, first: [] };
  const reason = { name: "slip", text: "slip p99 40 ms (limit 5 ms)", advice: "" };
  test.each<readonly [cause: string, reason: string, Partial<RunResult>]>([
    ["interrupted", "it was interrupted", { interrupted: true }],
    [
      "failed",
      "1 of 200 orchestrations did not complete",
      { counts: { ...counts, orchestrations: { ...counts.orchestrations, completed: 199, failed: 1 } } },
    ],
    ["failed", "1,000 of 1,200 orchestrations did not complete", { counts: { ...counts, planned: 1_200 } }],
    ["failed", "2 orchestrations were lost", { recount: { instances: 198, byStatus: {}, lost, unexpected: none } }],
    ["failed", "nothing completed in what it measured", { throughput: { orchestrationsPerSecond: 0 } }],
  ])("is named, %s as %s, and nothing is judged", (cause, reason, changes) => {
    const [first, ...others] = slowed(2);
    const unusable = { ...first!, ...changes };
    for (const [side, comparison] of [
      ["new", compareRuns(base, [unusable, ...others])],
      ["base", compareRuns([unusable, ...others], base)],
    ] as const) {
      expect(comparison.unusable).toEqual([{ side, runId: "new1", cause, reason }]);
      expect(comparison.figures.length).toBeGreaterThan(0);
      for (const compared of comparison.figures) {
        expect(compared).toEqual({
          figure: expect.any(String),
          base: expect.any(Number),
          new: expect.any(Number),
          ratio: expect.any(Number),
          finding: "not judged",
        });
      }
    }
  });

  test.each([
    ["is dropped where three are left on each side", 2, 5, { left: 3, finding: "slower" }],
    ["is not dropped where fewer are left", 3, 5, { left: 5, finding: "not judged" }],
    ["is not dropped where the other side has fewer", 1, 2, { left: 5, finding: "not judged" }],
  ])("that is invalid %s", (_rule, invalid, others, { left, finding }) => {
    const broken = slowed(2).map((run, index) => (index < invalid ? { ...run, verdict: INVALID } : run));
    const objections = broken.slice(0, invalid).map(({ runId }) => ({
      side: "new",
      runId,
      cause: "invalid",
      reason: "its figures are invalid: slip p99 40 ms (limit 5 ms)",
    }));
    const comparison = compareRuns(base.slice(0, others), broken);
    expect(comparison.runs.new).toHaveLength(left);
    expect([...comparison.dropped, ...comparison.unusable]).toEqual(objections);
    expect(comparison.figures.map((compared) => compared.finding)).toEqual([finding, finding, finding]);
    const kept = compareRuns(base.slice(0, others), broken, { allowInvalid: true });
    expect(kept).toMatchObject({ dropped: [], unusable: [], runs: { new: broken.map(({ runId }) => runId) } });
  });

  test("that is invalid does not hide one that failed", () => {
    const [first, second, ...others] = slowed(2);
    const fresh = [{ ...first!, verdict: INVALID }, { ...second!, interrupted: true }, ...others];
    expect(compareRuns(base, fresh)).toMatchObject({ dropped: [], unusable: [{ runId: "new1" }, { runId: "new2" }] });
  });

  test("is not one whose verdict is suspect, whose recount failed, or whose activities were done twice", () => {
    const changes: Partial<RunResult> = {
      verdict: { status: "suspect", reasons: [{ ...reason, severity: "suspect" }] },
      recount: { unknown: "the backend does not answer" },
      counts: { ...counts, activities: { needed: 20_000, completed: 20_000, reExecuted: 3 } },
    };
    const fresh = slowed(1).map((run) => ({ ...run, ...changes }));
    expect(compareRuns(base, fresh).unusable).toEqual([]);
  });
});

describe("several candidates against one base", () => {
  test("are each judged, and corrected for all of them together", () => {
    const noisy = [1, 1.06, 0.95];
    const before = runsOf(
      "base",
      noisy.map((noise) => ({ rate: 1_000 * noise })),
    );
    const after = runsOf(
      "new",
      noisy.map((noise) => ({ rate: 830 * noise })),
    );
    const same = runsOf(
      "same",
      noisy.map((noise) => ({ rate: 1_001 * noise })),
    );
    const [alone] = compareCandidates(before, [{ runs: after }]);
    const [among, other] = compareCandidates(before, [{ runs: after, names: { base: "a", new: "b" } }, { runs: same }]);
    expect([alone, among, other].map((one) => one!.figures[0]!.finding)).toEqual([
      "slower",
      "no difference shown",
      "no difference shown",
    ]);
    expect(among!.names).toEqual({ base: "a", new: "b" });
    expect(among!.figures[0]!.p).toBeCloseTo(2 * alone!.figures[0]!.p!, 9);
  });

  test("do not spoil each other: only the candidate that failed is not judged", () => {
    const failed = slowed(2).map((run, index) => ({ ...run, runId: `failed${index}`, interrupted: index === 0 }));
    const findings = compareCandidates(base, [{ runs: failed }, { runs: slowed(2) }]).map(findingsOf);
    expect(findings.map((found) => found["response p50"])).toEqual(["not judged", "slower"]);
  });
});

describe("caveats of a comparison", () => {
  test.each([
    ["minutes apart", at(base, "2030-01-02T03:00:00Z"), at(slowed(1), "2030-01-02T03:59:00Z"), []],
    [
      "hours apart",
      at(base, "2030-01-02T03:00:00Z"),
      at(slowed(1), "2030-01-02T05:00:00Z"),
      [{ kind: "hours-apart", first: "base", gapMs: 7_200_000 }],
    ],
    [
      "hours apart, the new one first",
      at(base, "2030-01-02T05:00:00Z"),
      at(slowed(1), "2030-01-02T03:00:00Z"),
      [{ kind: "hours-apart", first: "new", gapMs: 7_200_000 }],
    ],
    [
      "over the same hours, in turn",
      [...at(base.slice(0, 2), "2030-01-02T03:00:00Z"), ...at(base.slice(2), "2030-01-02T09:00:00Z")],
      at(slowed(1), "2030-01-02T06:00:00Z"),
      [],
    ],
    [
      "on unlike machines",
      onMachine(base, "A"),
      onMachine(slowed(1), "B"),
      [{ kind: "unlike-machines", base: ["2 x A"], new: ["2 x B"] }],
    ],
  ])("that were measured %s", (_how, before, after, caveats) => {
    expect(compareRuns(before, after).caveats).toEqual(caveats);
  });
});

describe("runs that do not form two sides", () => {
  test.each([
    ["an empty base", [], base],
    ["nothing new", base, []],
    ["a run twice on a side", [...base, base[0]!], slowed(1)],
    ["a run on both sides", base, [base[4]!]],
  ])("are refused: %s", (_what, before, after) => {
    expect(() => compareRuns(before, after)).toThrow(UsageError);
  });

  test("may have the same id where they were started at different times", () => {
    const again = base.map((run) => ({ ...run, startedAt: "2030-02-02T03:04:05.678Z" }));
    expect(compareRuns(base, again).figures).toHaveLength(3);
  });
});

describe("every comparison", () => {
  test("is a plain JSON value", () => {
    fc.assert(
      fc.property(side("base", 1), side("new", 1), (before, after) => {
        const comparison = compareRuns(before, after);
        expect(JSON.parse(JSON.stringify(comparison))).toEqual(comparison);
      }),
    );
  });

  test("finds a figure slower or faster exactly where its interval lies beyond the noise threshold", () => {
    const noises = fc.constantFrom(0, 0.05, 0.2);
    fc.assert(
      fc.property(side("base", 2), side("new", 2), noises, (before, after, noiseThreshold) => {
        for (const { figure, interval, finding } of compareRuns(before, after, { noiseThreshold }).figures) {
          // Equal figures are apart by what their logarithms were rounded by.
          const beyond = (1 + noiseThreshold) * (1 + 1e-9);
          const [above, below] = [interval!.low > beyond, interval!.high < 1 / beyond];
          const more = figure === "activities/s";
          const expected = above || below ? (above === more ? "faster" : "slower") : "no difference shown";
          expect(finding).toBe(expected);
        }
      }),
    );
  });

  test("is the reverse when the sides are swapped", () => {
    const reverse: Readonly<Record<string, string>> = { slower: "faster", faster: "slower" };
    fc.assert(
      fc.property(side("base", 2), side("new", 2), (before, after) => {
        const [there, back] = [compareRuns(before, after), compareRuns(after, before)];
        for (const [index, { ratio, finding }] of there.figures.entries()) {
          expect(back.figures[index]!.ratio).toBeCloseTo(1 / ratio, 9);
          expect(back.figures[index]!.finding).toBe(reverse[finding] ?? finding);
        }
      }),
    );
  });

  test("finds nothing more with a higher noise threshold", () => {
    fc.assert(
      fc.property(side("base", 2), side("new", 2), (before, after) => {
        const [strict, lax] = [0.01, 0.1].map((noiseThreshold) =>
          foundIn(compareRuns(before, after, { noiseThreshold })),
        );
        expect(strict).toEqual(expect.arrayContaining(lax!));
      }),
    );
  });
});

describe("a comparison of runs that mix orchestrations", () => {
  // With a recount that lost one, the runs would not be judged.
  const { recount: _recount, ...sound } = mixedResult;
  const COMPLETED = { started: 3_000, completed: 3_000, failed: 0, terminated: 0, unfinished: 0 };
  const runs = (name: string, factor: number): readonly RunResult[] =>
    [1, 1.01, 0.99, 1.02, 0.98].map((noise, index) => ({
      ...sound,
      runId: `${name}${index}`,
      counts: { ...sound.counts, orchestrations: COMPLETED },
      byOrchestration: sound.byOrchestration!.map((part, place) => ({
        ...part,
        latencyMs: {
          service: { ...part.latencyMs.service!, p50: 100 * noise * (place === 1 ? factor : 1), p99: 200 * noise },
        },
      })),
    }));

  test("judges each of them", () => {
    const comparison = compareRuns(runs("base", 1), runs("new", 2));
    expect(comparison.figures.map(({ figure }) => figure)).toEqual([
      "orchestrations/s",
      "service p50",
      "service p99",
      "Order orchestrations/s",
      "Order service p50",
      "Order service p99",
      "Refund, late orchestrations/s",
      "Refund, late service p50",
      "Refund, late service p99",
    ]);
    expect(findingsOf(comparison)).toMatchObject({
      "Order service p50": "no difference shown",
      "Refund, late service p50": "slower",
      "Refund, late service p99": "no difference shown",
    });
  });

  test("leaves out one that only some runs have", () => {
    const [first, ...others] = runs("new", 1);
    const lacking = { ...first!, byOrchestration: first!.byOrchestration!.slice(1) };
    const names = compareRuns(runs("base", 1), [lacking, ...others]).figures.map(({ figure }) => figure);
    expect(names).toContain("Refund, late service p50");
    expect(names).not.toContain("Order service p50");
  });
});
