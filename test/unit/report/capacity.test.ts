import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { capacityHtml } from "../../../src/report/capacity-html.js";
import { capacityText } from "../../../src/report/capacity-text.js";
import { styleFor } from "../../../src/report/text-style.js";
import { CAPACITY_SCHEMA, schemaErrors } from "../../support/report/published-schema.js";
import { sampleCapacity } from "../../support/report/sample-capacity.js";

const PLAIN = styleFor({ isTTY: false });

describe("the answer of a search", () => {
  test("as text", () => {
    expect(stripVTControlCharacters(capacityText(sampleCapacity, PLAIN))).toBe(
      `Capacity: 342.1/s holds, 357.4/s does not (p99<100ms)
  why it ended  three probes agree at each end of the interval
  throughput    orchestrations 342/s, activities 17,105/s, actions 34,552/s
  capacity      17.3 capacity units of a Dedicated scheduler, 576 % of --capacity-units
  latency       at 342.1/s: mean 30 ms, p50 22 ms, p90 48 ms, p99 95 ms, max 190 ms
                at half of it: mean 10 ms, p50 8 ms, p90 16 ms, p99 32 ms, max 64 ms
  knee          171/s, where throughput over mean latency is highest
  at least      300/s: reached
  disagreement  at 342.1/s: held, missed, held, held; the capacity drifts, or lies there
  search        3 probes in 2m31s, r0123456789ab`,
    );
  });

  test("as text, if only one side is known", () => {
    const { missed: _missed, ...rest } = sampleCapacity;
    expect(capacityText({ ...rest, ended: "generator", generatorLimit: 684 }, PLAIN)).toContain(
      "Capacity: at least 342.1/s (p99<100ms)",
    );
    const { held: _held, ...unknown } = sampleCapacity;
    expect(capacityText({ ...unknown, ended: "never-held" }, PLAIN)).toContain("unknown, 357.4/s does not hold");
  });

  test("fits its schema", () => {
    expect(schemaErrors(sampleCapacity, CAPACITY_SCHEMA)).toEqual([]);
  });

  test("as a page with both charts, the objective and the interval", async () => {
    const html = await capacityHtml(sampleCapacity);
    const panels = JSON.parse(/<script type="application\/json" id="panels">(.*?)<\/script>/su.exec(html)![1]!);
    expect(panels).toMatchObject([
      {
        id: "latency",
        xs: [171, 342.1, 357.4],
        lines: [
          { name: "p99", values: [32, 95, 140] },
          { name: "p50" },
          { name: "p99<100ms", values: [100, 100, 100] },
        ],
        bands: [{ from: 342.1, to: 357.4 }],
      },
      { id: "throughput", lines: [{ name: "offered" }, { name: "completed", values: [171, 342.1, 357.4] }] },
    ]);
    expect(html).toContain("342.1/s holds, 357.4/s does not");
  });

  test("a text of the backend is escaped", async () => {
    const [probe] = sampleCapacity.probes;
    const html = await capacityHtml({
      ...sampleCapacity,
      probes: [{ ...probe!, outcome: "missed", reason: "<script>" }],
    });
    expect(html).not.toContain("missed: <script>");
  });
});
