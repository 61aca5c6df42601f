import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { DelayLog, readDelayLog } from "../../../bench/delay-server/delay-log.js";

test.each([0, 1, 1_024, 5_000])("a log of %i records is read as it was written", async (length) => {
  const folder = await mkdtemp(join(tmpdir(), "fanout-delay-log-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "delays.f64");
  const records = Array.from({ length }, (_, n) => ({ createdMs: 1.7e12 + n / 7, meantMs: n / 3, tookMs: n / 2 }));
  const log = new DelayLog(file);
  for (const record of records) log.add(record);
  await log.close();
  expect(readDelayLog(file)).toEqual(records);
});
