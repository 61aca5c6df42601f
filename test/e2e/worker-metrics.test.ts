import { expect, test } from "vitest";
import { FANOUT_VERSION } from "../../src/version.js";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { Workplace } from "../support/e2e/workplace.js";

const LOAD = "--parallel-orchestrations 4 --iterations 5 --parallel-activities 5";

test("/metrics has what a worker did, by kind and outcome", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const idle = await scrape(worker);
  expect(idle).toMatchObject({
    [`fanout_build_info{version="${FANOUT_VERSION}",node="${process.versions.node}"}`]: 1,
    fanout_worker_connected: 1,
    fanout_worker_reconnects_total: 0,
    'fanout_worker_work_items_in_flight{kind="activity"}': 0,
    'fanout_worker_work_items_total{kind="activity",outcome="completed"}': 0,
    'fanout_worker_execute_seconds_count{kind="activity"}': 0,
  });

  await place.succeed(`run --workers 0 --allow-invalid ${LOAD} --activity-duration 20ms`);
  // The run may know of its end before the worker knows that its last result was accepted.
  await expect
    .poll(() => scrape(worker))
    .toMatchObject({
      'fanout_worker_work_items_in_flight{kind="activity"}': 0,
      'fanout_worker_work_items_in_flight{kind="orchestrator"}': 0,
    });
  const busy = await scrape(worker);
  expect(busy).toMatchObject({
    'fanout_worker_work_items_total{kind="activity",outcome="completed"}': 100,
    'fanout_worker_work_items_total{kind="activity",outcome="failed"}': 0,
    'fanout_worker_work_items_in_flight{kind="activity"}': 0,
    'fanout_worker_execute_seconds_bucket{le="0.01",kind="activity"}': 0,
    'fanout_worker_execute_seconds_bucket{le="+Inf",kind="activity"}': 100,
    'fanout_worker_execute_seconds_count{kind="activity"}': 100,
    'fanout_worker_episodes_total{from="nothing"}': 4,
    'fanout_worker_episodes_total{from="history"}': 0,
    fanout_worker_sessions: 0,
  });
  expect(busy['fanout_worker_execute_seconds_sum{kind="activity"}']).toBeGreaterThan(100 * 0.015);
  const episodes = busy['fanout_worker_work_items_total{kind="orchestrator",outcome="completed"}'] ?? 0;
  expect(busy['fanout_worker_episodes_total{from="session"}']).toBe(episodes - 4);
  expect(busy["process_cpu_seconds_total"]).toBeGreaterThan(0);
});

test("/metrics counts replays without sessions, failed activities, and connections that were made again", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0 --replay always");
  await worker.says(/Connected to/u);
  await place.run(`run --workers 0 ${LOAD} --failure-rate 50%`);
  const failed = await scrape(worker);
  expect(failed['fanout_worker_work_items_total{kind="activity",outcome="failed"}']).toBeGreaterThan(0);

  await place.succeed(`run --workers 0 ${LOAD}`);
  const replayed = await scrape(worker);
  expect(replayed['fanout_worker_episodes_total{from="history"}']).toBeGreaterThan(0);
  expect(replayed['fanout_worker_episodes_total{from="session"}']).toBe(0);

  const before = worker.output.length;
  process.kill((await place.runningEmulator()).pid, "SIGKILL");
  await worker.says(/Connected to/u, before);
  expect(await scrape(worker)).toMatchObject({ fanout_worker_connected: 1, fanout_worker_reconnects_total: 1 });
});

async function scrape(worker: FanoutProcess): Promise<Readonly<Record<string, number>>> {
  const [, url = ""] = await worker.says(/Status on (http:\/\/127\.0\.0\.1:\d+)\/status/u);
  const response = await fetch(`${url}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/u);
  const samples = (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return Object.fromEntries(samples.map((line) => [line.replace(/ \S+$/u, ""), Number(/\S+$/u.exec(line)?.[0])]));
}
