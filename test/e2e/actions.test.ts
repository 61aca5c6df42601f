import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { HubInspector, activitiesReach } from "../support/e2e/hub-inspector.js";
import { parseRunResult, type FanOutResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

/** What executions before a continue-as-new of an instance have done. */
interface Carried {
  readonly iterationsCompleted: number;
  readonly retries?: number;
}

/** What the instances of a run have cost, by the SDK's own client: their histories, and what executions before them did. */
async function billedOf(
  place: Workplace,
  { runId, plan }: FanOutResult,
): Promise<{ readonly histories: number; readonly before: number }> {
  const inspector = new HubInspector(place.socket);
  try {
    const instances = await inspector.instances(`${runId}-`);
    // Each activity of theirs has completed: an action for the execution, two for each, three for each retry.
    const { continueAsNewEvery = 1, parallelActivities } = plan;
    const before = instances
      .map(({ serializedInput }) => (JSON.parse(serializedInput ?? "{}") as { carried?: Carried }).carried)
      .map((carried) => {
        const { iterationsCompleted = 0, retries = 0 } = carried ?? {};
        return iterationsCompleted / continueAsNewEvery + 2 * iterationsCompleted * parallelActivities + 3 * retries;
      })
      .reduce((sum, cost) => sum + cost, 0);
    return { histories: await inspector.billed(`${runId}-`), before };
  } finally {
    await inspector.close();
  }
}

/** A place with a worker that stays, so that runs need not start their own. */
async function placeWithWorker(): Promise<Workplace> {
  const place = await Workplace.open();
  await place.start("worker --port 0").says(/Connected to/u);
  return place;
}

const DIVIDED = "--parallel-orchestrations 10 --iterations 3 --sub-orchestrations 2 --timer 1ms";
const CONTINUED = "--parallel-orchestrations 20 --iterations 6 --parallel-activities 2 --continue-as-new-every 2";

describe("actions are counted from the histories", () => {
  test("if activities fail, are retried, or continue after a continue-as-new", async () => {
    const place = await placeWithWorker();
    const kinds = [
      "--parallel-orchestrations 3 --iterations 1 --parallel-activities 4 --failure-rate 1",
      "--parallel-orchestrations 40 --iterations 3 --failure-rate 5%",
      "--parallel-orchestrations 20 --iterations 3 --failure-rate 20% --retries 3",
      DIVIDED,
      `${DIVIDED} --failure-rate 5%`,
      `${DIVIDED} --failure-rate 20% --retries 3`,
      `${CONTINUED} --failure-rate 5%`,
      `${CONTINUED} --failure-rate 20% --retries 2`,
    ];
    const results: FanOutResult[] = [];
    for (const kind of kinds) results.push(parseRunResult((await place.run(`run --quiet --json ${kind}`)).stdout));
    const billed = await Promise.all(results.map((result) => billedOf(place, result)));
    for (const [index, { counts }] of results.entries()) {
      const { histories, before } = billed[index]!;
      expect(counts).not.toHaveProperty("actionsAtLeast");
      const kind = kinds[index]!;
      expect([kind, counts.actions]).toEqual([kind, histories + before]);
      expect([kind, before > 0]).toEqual([kind, kind.startsWith(CONTINUED)]);
    }
    const [failed, ...others] = results;
    // 3 x (1 start + 4 activities + 4 failures)
    expect(failed?.counts.actions).toBe(27);
    expect(failed).not.toHaveProperty("throughput");
    // Of the others some completed: their actions a second are those of all, until the last has ended.
    for (const { counts, throughput, durationMs } of others) {
      expect(counts.orchestrations.completed).toBeGreaterThan(0);
      expect(throughput?.actionsPerSecond).toBeGreaterThan((counts.actions! * 1_000) / durationMs);
      expect(throughput?.actionsPerSecond).toBeLessThanOrEqual((counts.actions! * 1_000) / throughput!.makespanMs!);
    }
  });

  test("if a run is interrupted: its work so far, and its termination", async () => {
    const place = await placeWithWorker();
    const kind = "--parallel-orchestrations 8 --iterations 1000 --parallel-activities 10";
    const run = place.start(`run --json ${kind}`);
    await activitiesReach(200, place.socket, run);
    run.kill("SIGINT");
    const { code, stdout } = await run.ended;
    const result = parseRunResult(stdout);
    expect({ code, counts: result.counts }).toMatchObject({ code: 130, counts: { orchestrations: { terminated: 8 } } });
    expect(result.counts.actions).toBe((await billedOf(place, result)).histories);
    expect(result.counts.actions).toBeGreaterThanOrEqual(8 * 2 + 2 * 200);
  });
});

describe("if not all actions can be counted", () => {
  test("a run reports a lower bound with a reason, and a threshold is judged by it if possible", async () => {
    const place = await placeWithWorker();
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["StreamInstanceHistory"]);
    onTestFinished(() => backend.close());
    const kind = "--parallel-orchestrations 3 --iterations 1 --failure-rate 1";
    const thresholdFlags = ["counts.actions>2", "counts.actions<1", "counts.actions<100"].flatMap((expression) => [
      "--threshold",
      expression,
    ]);
    const flags = ["--connection-string", backend.connectionString("default"), ...thresholdFlags];
    const { stdout, stderr } = await place.run(`run --json result.json ${kind}`, ...flags);
    const why = "the backend has no StreamInstanceHistory (UNIMPLEMENTED)";
    expect(stderr + stdout).toContain(why);
    const { counts, thresholds = [] } = parseRunResult(await readFile(join(place.folder, "result.json"), "utf8"));
    expect(counts).toMatchObject({ actionsAtLeast: 3, actionsMissing: expect.stringContaining(why) as string });
    expect(thresholds.map(({ passed, value }) => [passed, value])).toEqual([
      [true, 3],
      [false, 3],
      [false, undefined],
    ]);
    expect(thresholds[2]?.reason).toContain(why);
  });
});
