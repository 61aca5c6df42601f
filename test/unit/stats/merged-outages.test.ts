import { expect, test } from "vitest";
import { commonOutages, hasEnded } from "../../../src/stats/merged-health.js";

const outage = (fromMs: number, toMs: number, open?: true) => ({
  fromMs,
  lengthMs: toMs - fromMs,
  found: "UNAVAILABLE",
  ...(open && { open }),
});
type Outages = readonly ReturnType<typeof outage>[];
const found = (...spans: Outages) => ({ spans, neutral: [] });

test.each([
  { name: "of one shard alone", shards: [found(outage(10, 20)), found()], common: [] },
  { name: "of one shard after the other", shards: [found(outage(10, 20)), found(outage(20, 30))], common: [] },
  {
    name: "of both",
    shards: [found(outage(10, 20), outage(50, 90, true)), found(outage(15, 40), outage(60, 90, true))],
    common: [outage(15, 20), outage(60, 90, true)],
  },
  {
    name: "of one shard after the other had ended",
    shards: [hasEnded(found(), 20), found(outage(25, 50))],
    common: [outage(25, 50)],
  },
  {
    name: "that one shard did not see the end of",
    shards: [hasEnded(found(outage(10, 20, true)), 20), found(outage(10, 50))],
    common: [outage(10, 50)],
  },
])("an outage $name is one of the run only while all shards that run find it", ({ shards, common }) => {
  expect(commonOutages(shards)).toEqual(common);
});
