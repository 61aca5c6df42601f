import { describe, expect, test } from "vitest";
import { summaryText } from "../../../src/report/text.js";
import { styleFor } from "../../../src/report/text-style.js";
import type { Stall } from "../../../src/result/run-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";

const plain = styleFor({});

describe("the summary of open load", () => {
  const text = summaryText(openLoadResult, plain);

  test("names the time of the throughput, and the figures without the warm-up", () => {
    expect(text).toMatch(/^Incomplete: 5,785 of 5,800 orchestrations completed in 2m\n/u);
    expect(text).toMatch(/warm-up +400 orchestrations in 10 s, left out of throughput and latency\n/u);
    expect(text).toMatch(/not completed +3 failed, 12 unfinished after 5 s of grace\n/u);
    expect(text).toMatch(/activities +115,700 of 116,000, 3 re-executed\n/u);
    expect(text).toMatch(/throughput +orchestrations 51\.3\/s, .*, over 1m45s\n/u);
    expect(text).toMatch(/labels +branch=main, durable store=netherite\n/u);
  });

  test("has the phases, aligned, with the offered and the completed work of each", () => {
    const [header = "", ...rows] = text
      .split("\n")
      .filter((line) => /^ {2}(?:phase|warm-up {9}|40\/s)/u.test(line))
      .map((line) => line.trimEnd());
    expect(header.trim().split(/ {2,}/u)).toEqual(["phase", "offered", "completed", "response p50", "response p99"]);
    expect(rows.map((row) => row.trim().split(/ {2,}/u))).toEqual([
      ["warm-up", "40/s", "39/s", "241 ms"],
      ["40/s", "40/s", "40.0/s", "242 ms", "301 ms"],
      ["40/s to 80/s", "60/s", "59.8/s", "244 ms", "1.64 s"],
    ]);
    expect(rows.at(-1)).toHaveLength(header.length);
  });

  test("names a stall", () => {
    expect(text).toMatch(/^ {2}stalled 2\.04 s from 1m12s on, 119 in flight, 52\/s offered, 12 UNAVAILABLE$/mu);
  });

  test("begins with the suspect verdict, its reason and the next step", () => {
    expect(text.split("\n").slice(1, 5)).toEqual([
      "Suspect: take these figures with care",
      "  the machine was 93 % busy (limit 90 %), 21 % of it this process",
      "    run the workers or the backend on another machine",
      "",
    ]);
  });

  test("lists outages before stalls", () => {
    const outage = { fromMs: 12_300, lengthMs: 20_100, found: "UNAVAILABLE: connect ECONNREFUSED" };
    const text = summaryText({ ...openLoadResult, outages: [outage, { ...outage, open: true }] }, styleFor({}));
    expect(text).toContain("  backend away 20.1 s from 12.3 s on: UNAVAILABLE: connect ECONNREFUSED\n");
    expect(text).toContain("  backend away 20.1 s from 12.3 s on until the end: UNAVAILABLE");
    expect(text.indexOf("backend away")).toBeLessThan(text.indexOf("  stalled"));
  });

  test("lists five stalls and counts the rest", () => {
    const stall = { fromMs: 12_300, lengthMs: 2_040, inFlight: 1, offeredPerSecond: 0, rpcErrors: {} };
    const stalls: readonly Stall[] = [{ ...stall, open: true }, ...Array.from({ length: 6 }, () => stall)];
    const shown = summaryText({ ...openLoadResult, stalls }, plain);
    expect(shown).toContain("\n\n  stalled 2.04 s from 12.3 s on until the end, 1 in flight\n");
    expect(shown.match(/stalled/gu)).toHaveLength(5);
    expect(shown).toContain("12.3 s on, 1 in flight\n  and 2 more");
  });

  test("counts the phases that are too many to list", () => {
    const [phase] = openLoadResult.phases!;
    const shown = summaryText({ ...openLoadResult, phases: Array.from({ length: 25 }, () => phase!) }, plain);
    expect(shown.match(/^ {2}warm-up +40\/s/gmu)).toHaveLength(20);
    expect(shown).toContain("\n  and 5 more");
  });
});

describe("the summary of closed load", () => {
  const text = summaryText(closedLoadResult, plain);

  test("has no response time, and names what closed load cannot show", () => {
    expect(text).toMatch(/^Completed 3,012 orchestrations in 1m10s\n/u);
    expect(text).not.toContain("response");
    expect(text).toContain("closed load cannot show how long arrivals would have waited (coordinated omission)");
    expect(summaryText(openLoadResult, plain)).not.toContain("coordinated omission");
  });

  test("says how many were in flight, and how late the loop noticed", () => {
    expect(text).toMatch(/concurrency +9\.80 of 10\n/u);
    expect(text).toMatch(/detectionLag +2\.10 ms .*completed until noticed, ± 0\.40 ms\n/u);
  });

  test("does not mention a valid verdict", () => {
    expect(text).not.toMatch(/valid|Suspect|Invalid/u);
  });
});
