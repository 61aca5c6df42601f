import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { ForwardingBackend } from "../hub/forwarding-backend.js";
import { HubInspector, activitiesReach } from "./hub-inspector.js";
import { parseRunResult, type PublishedResult } from "./run-result-schema.js";
import { Workplace } from "./workplace.js";

interface Carried {
  readonly iterationsCompleted: number;
  readonly retries?: number;
}

/** What the histories of a run hold, by the SDK's own client. */
async function billedOf(place: Workplace, { runId }: PublishedResult): Promise<number> {
  const inspector = new HubInspector(place.socket);
  try {
    return await inspector.billed(`${runId}-`);
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

describe("actions are what the histories hold", () => {
  test("where activities fail, and where they are tried again", async () => {
    const place = await placeWithWorker();
    const kinds = [
      "--parallel-orchestrations 3 --iterations 1 --parallel-activities 4 --failure-rate 1",
      "--parallel-orchestrations 40 --iterations 3 --failure-rate 5%",
      "--parallel-orchestrations 20 --iterations 3 --failure-rate 20% --retries 3",
    ];
    const results: PublishedResult[] = [];
    for (const kind of kinds) {
      const { stdout } = await place.run(`run --quiet --json ${kind}`);
      results.push(parseRunResult(stdout));
    }
    for (const result of results) {
      expect(result.counts.actions).toBe(await billedOf(place, result));
      expect(result.counts).not.toHaveProperty("actionsAtLeast");
    }
    // 3 x (1 start + 4 activities + 4 failures)
    expect(results[0]?.counts.actions).toBe(27);
    expect(results[0]).not.toHaveProperty("throughput");
    // Of the others some completed: their actions a second are those of all, until the last has ended.
    for (const { counts, throughput, durationMs } of results.slice(1)) {
      expect(counts.orchestrations.completed).toBeGreaterThan(0);
      expect(throughput?.actionsPerSecond).toBeGreaterThan((counts.actions! * 1_000) / durationMs);
      expect(throughput?.actionsPerSecond).toBeLessThanOrEqual((counts.actions! * 1_000) / throughput!.makespanMs!);
    }
  });

  test("where an orchestration is continued as new: with what its executions before have cost", async () => {
    const place = await placeWithWorker();
    const kind = "--parallel-orchestrations 30 --iterations 6 --parallel-activities 2 --continue-as-new-every 2";
    for (const failing of ["--failure-rate 5%", "--failure-rate 20% --retries 2"]) {
      const { stdout } = await place.run(`run --quiet --json ${kind} ${failing}`);
      const result = parseRunResult(stdout);
      const inspector = new HubInspector(place.socket);
      const instances = await inspector.instances(`${result.runId}-`);
      await inspector.close();
      // Of an execution that went on in another one each activity has completed: 1 + 2 x 2 x 2, and 3 for each retry.
      const before = instances
        .map(({ serializedInput }) => (JSON.parse(serializedInput ?? "{}") as { carried?: Carried }).carried)
        .reduce((sum, carried) => sum + ((carried?.iterationsCompleted ?? 0) / 2) * 9 + 3 * (carried?.retries ?? 0), 0);
      expect(before).toBeGreaterThan(0);
      expect(result.counts.actions).toBe(before + (await billedOf(place, result)));
    }
  });

  test("where a run is interrupted: what it had done, and its end", async () => {
    const place = await placeWithWorker();
    const kind = "--parallel-orchestrations 8 --iterations 1000 --parallel-activities 10";
    const run = place.start(`run --json ${kind}`);
    await activitiesReach(200, place.socket);
    run.kill("SIGINT");
    const { code, stdout } = await run.ended;
    const result = parseRunResult(stdout);
    expect({ code, counts: result.counts }).toMatchObject({ code: 130, counts: { orchestrations: { terminated: 8 } } });
    expect(result.counts.actions).toBe(await billedOf(place, result));
    expect(result.counts.actions).toBeGreaterThanOrEqual(8 * 2 + 2 * 200);
  });
});

describe("where not all actions can be counted", () => {
  test("a run says how many there are at least, and why; a threshold is judged by that where it can be", async () => {
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
