import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LiveSeries } from "../../../src/runs/live-series.js";
import type { LiveSnapshot } from "../../../src/stats/live-snapshot.js";

function snapshotAt(elapsedMs: number): LiveSnapshot {
  const orchestrations = { total: 0, started: 0, ended: 0 };
  return { elapsedMs, orchestrations, activities: { total: 0, completed: 0 }, responseMs: undefined };
}

test("a series keeps its last point, its whole course and no more than its bound, and yields its points in order", () => {
  const property = fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 300 }), (most, count) => {
    const series = new LiveSeries(most);
    for (let id = 1; id <= count; id += 1) series.add(snapshotAt(id));
    const ids: number[] = [];
    for (let point = series.after(0); point !== undefined; point = series.after(point.id)) ids.push(point.id);
    expect(ids.length).toBeLessThanOrEqual(most);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect([ids.at(-1), series.last?.snapshot.elapsedMs, series.lastId]).toEqual([count, count, count]);
    // Evenly: no gap is longer than twice the time that so many points need at least.
    const widest = Math.max(...ids.map((id, index) => id - (ids[index - 1] ?? 0)));
    expect(widest).toBeLessThanOrEqual(Math.max(1, (2 * count) / (most - 1)));
  });
  fc.assert(property);
});

test("a series that is thinned keeps fewer points than it is told to, its last one, and takes more", () => {
  const property = fc.property(fc.integer({ min: 2, max: 20 }), fc.integer({ min: 1, max: 300 }), (most, count) => {
    const series = new LiveSeries(100);
    for (let id = 1; id <= count; id += 1) series.add(snapshotAt(id));
    series.thin(most);
    series.add(snapshotAt(count + 1));
    const ids: number[] = [];
    for (let point = series.after(0); point !== undefined; point = series.after(point.id)) ids.push(point.id);
    expect(ids.length).toBeLessThanOrEqual(most + 1);
    expect(ids).toEqual(ids.toSorted((a, b) => a - b));
    expect(ids.at(-1)).toBe(count + 1);
  });
  fc.assert(property);
});
