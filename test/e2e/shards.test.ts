import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseResult } from "../../src/result/read-result.js";
import { startTimeFor } from "../support/e2e/start-time.js";
import { Workplace } from "../support/e2e/workplace.js";

const SMALL = "--iterations 1 --parallel-activities 2 --allow-invalid";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

async function resultIn(file: string) {
  return parseResult(await readFile(join(place.folder, file), "utf8"), file);
}

test("two shards make the starts of one run together, and `merge` makes its result", async () => {
  const load = `--rate 20/s --arrival poisson --seed 3 --duration 1s ${SMALL} --activity-duration 500ms --run-id sharded`;
  const startAt = await startTimeFor(place);
  const shards = [1, 2].map((number) =>
    place.start(`run ${load} --shard ${number}/2 --start-at ${startAt} --json ${number}.json`),
  );
  for (const shard of shards) await shard.says(/^ready; starting at /mu);
  // While they wait for their start.
  await place.succeed(`run ${load.replace("sharded", "alone")} --json whole.json`);
  for (const shard of shards) {
    const { code, stderr } = await shard.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
  }
  const [first, second] = [await resultIn("1.json"), await resultIn("2.json")];
  expect(first.plan.shard).toEqual({ number: 1, of: 2 });
  expect([first.startedAt, second.startedAt]).toEqual([startAt, startAt]);
  const merge = await place.run(
    "merge 2.json 1.json --json merged.json --threshold counts.orchestrations.failed<1 --allow-invalid",
  );
  expect(merge.stdout).toMatch(/^Completed \d+ orchestrations in /u);
  const merged = await resultIn("merged.json");
  // A busy machine starts late, and then no threshold is judged.
  const isJudged = merged.verdict?.status !== "invalid";
  expect(merge.code).toBe(isJudged ? 0 : 99);
  expect(merged.thresholds).toMatchObject([{ passed: isJudged }]);
  const { code, stderr } = await place.run("merge 1.json");
  expect({ code, stderr }).toMatchObject({ code: 2 });
  expect(stderr).toContain("error: expected all 2 shards of run sharded, found none of shard 2");
  await place.succeed("report merged.json --html");
  expect(merged.recount).toMatchObject({ lost: { total: 0 }, unexpected: { total: 0 } });
  const whole = await resultIn("whole.json");
  expect(merged.counts).toMatchObject({ ...whole.counts, activities: { completed: 2 * whole.counts.planned! } });
  const started = [first, second].map(({ counts }) => counts.orchestrations.started);
  expect(started[0]! + started[1]!).toBe(whole.counts.orchestrations.started);
  for (const { counts, recount } of [first, second]) {
    expect(counts.activities).toMatchObject({ completed: 2 * counts.orchestrations.started, source: "completions" });
    expect(recount).toMatchObject({
      instances: counts.orchestrations.started,
      lost: { total: 0 },
      unexpected: { total: 0 },
    });
  }
});
