import { expect, test } from "vitest";
import { commonOutages } from "../../../src/stats/merged-health.js";

const outage = (fromMs: number, toMs: number, open?: true) => ({
  fromMs,
  lengthMs: toMs - fromMs,
  found: "UNAVAILABLE",
  ...(open && { open }),
});

test.each([
  { name: "of one shard alone", shards: [[outage(10, 20)], []], common: [] },
  { name: "of one shard after the other", shards: [[outage(10, 20)], [outage(20, 30)]], common: [] },
  {
    name: "of both",
    shards: [
      [outage(10, 20), outage(50, 90, true)],
      [outage(15, 40), outage(60, 90, true)],
    ],
    common: [outage(15, 20), outage(60, 90, true)],
  },
])("an outage $name is one of the run only while all shards find it", ({ shards, common }) => {
  expect(commonOutages(shards)).toEqual(common);
});
