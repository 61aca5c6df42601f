import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { INTERVALS_TO_ALARM } from "../../src/soak/change-alarm.js";
import { soakEvidenceSchema, soakSchema, type Soak } from "../../src/result/soak-schema.js";
import { activitiesReach } from "../support/e2e/hub-inspector.js";
import { Workplace } from "../support/e2e/workplace.js";
import { schemaErrors, SOAK_EVIDENCE_SCHEMA, SOAK_SCHEMA } from "../support/report/published-schema.js";

const SMALL =
  "--iterations 2 --parallel-activities 2 --every 250ms --learn 5s --allow-invalid --dir soak --run-id mine";

async function soakIn(place: Workplace): Promise<Soak> {
  const document: unknown = JSON.parse(await readFile(join(place.folder, "soak/soak.json"), "utf8"));
  expect(schemaErrors(document, SOAK_SCHEMA)).toEqual([]);
  return soakSchema.parse(document);
}

test("workers that stop are told within the stated intervals, with evidence, and again when they go on", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const soak = place.start(`soak --workers 0 --rate 20/s --duration 40s ${SMALL}`);
  // What is usual has been learned by then.
  await activitiesReach(800, place.socket, soak);
  worker.kill("SIGSTOP");
  const stoppedMs = Date.now();
  await soak.says(/alarm 1: throughput/u);
  worker.kill("SIGCONT");
  await soak.says(/as usual again: throughput/u);
  const { code } = await soak.ended;
  expect(code).toBe(99);
  const { alarms, ended } = await soakIn(place);
  expect(ended).toBe("done");
  const alarm = alarms.find(({ series }) => series === "throughput")!;
  expect(alarm).toMatchObject({ number: 1, found: expect.any(Number), recoveredAt: expect.any(String) });
  // Of the interval in which the worker stopped, a part was as usual.
  const intervals = (Date.parse(alarm.raisedAt) - Date.parse(alarm.usualUntil)) / 250;
  expect(Math.floor(intervals)).toBeLessThanOrEqual(INTERVALS_TO_ALARM + 1);
  expect(Math.abs(Date.parse(alarm.usualUntil) - stoppedMs)).toBeLessThan(1_500);
  const evidence: unknown = JSON.parse(await readFile(join(place.folder, "soak", alarm.evidence!), "utf8"));
  expect(schemaErrors(evidence, SOAK_EVIDENCE_SCHEMA)).toEqual([]);
  const { stuck, timelines, workers } = soakEvidenceSchema.parse(evidence);
  expect(workers).toBe(1);
  expect(stuck.length).toBeGreaterThan(0);
  expect(stuck.every(({ instanceId }) => instanceId.startsWith("mine.1-"))).toBe(true);
  expect(timelines.map(({ instanceId }) => instanceId)).toEqual(stuck.slice(0, 3).map(({ instanceId }) => instanceId));
});

test("a generator that is killed goes on, and every start is accounted for", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const killed = place.start(`soak --workers 0 --rate 40/s --duration 15s ${SMALL}`);
  await activitiesReach(800, place.socket, killed);
  killed.kill("SIGKILL");
  await killed.ended;
  expect((await soakIn(place)).legs).toMatchObject([{ ended: "running" }]);
  const resumed = await place.run("soak --resume soak");
  expect(resumed).toMatchObject({ code: 0 });
  const { legs, ended, durationMs } = await soakIn(place);
  expect(ended).toBe("done");
  expect(legs).toMatchObject([
    { runId: "mine.1", ended: "killed", account: { missing: { total: 0 } } },
    { runId: "mine.2", ended: "done", lost: 0, result: "leg-2.json" },
  ]);
  expect(legs[0]!.loadMs + legs[1]!.loadMs).toBeCloseTo(durationMs, 3);
  const { account, started } = legs[0]!;
  if (!account || !("instances" in account)) throw new Error("Expected an account of the killed leg.");
  expect(account.byStatus).toEqual({ Completed: account.instances });
  expect(account.instances).toBe(started + account.afterCheckpoint);
  expect(legs[1]!.completed).toBe(legs[1]!.started);
});
