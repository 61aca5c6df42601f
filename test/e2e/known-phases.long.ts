import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parseRunResult, type FanOutResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const PROXY = fileURLToPath(new URL("../support/backend/delaying-proxy.ts", import.meta.url));

/** A run whose orchestrations are all traced. The checked result has phases that add up, and none that is negative. */
async function runTraced(place: Workplace, load: string): Promise<FanOutResult> {
  const { stdout } = await place.succeed(`run --workers 0 --json --allow-invalid --trace-sample 1 ${load}`);
  return parseRunResult(stdout);
}

/** The mean of a phase each time that it happened, milliseconds. */
function eachMs({ breakdown }: FanOutResult, phase: "queue" | "execute" | "return" | "schedule"): number {
  const time = breakdown?.phases?.[phase];
  if (!time) throw new Error(`Expected the phase ${phase}, found ${Object.keys(breakdown?.phases ?? {}).join(", ")}`);
  return time.each.mean;
}

/** To a worker and back, milliseconds. Where the clocks do not tell the two apart, they are one phase. */
function wayOf({ breakdown }: FanOutResult): number {
  const { queue, return: back, queueAndReturn } = breakdown?.phases ?? {};
  if (queueAndReturn) return queueAndReturn.each.mean;
  if (!queue || !back) throw new Error("Expected the way to a worker and back.");
  return queue.each.mean + back.each.mean;
}

describe("a delay that is known is found in its phase", () => {
  test("activities of 50 ms: execute", async () => {
    const place = await Workplace.open();
    await place.start("worker --port 0").says(/Connected to/u);
    const load = "--parallel-orchestrations 2 --iterations 40 --parallel-activities 2 --activity-duration 50ms";
    const executeMs = eachMs(await runTraced(place, load), "execute");
    expect(executeMs).toBeGreaterThanOrEqual(50);
    expect(executeMs).toBeLessThan(52);
  });

  test("20 ms on the way to a worker and back: queue and return", async () => {
    const place = await Workplace.open();
    const emulator = place.start("emulator --port 0");
    const [, port = ""] = await emulator.says(/http:\/\/127\.0\.0\.1:(\d+)/u);
    const proxy = place.startProgram(process.execPath, [PROXY, port, "20"]);
    const [delayedPort] = await proxy.says(/^\d+$/mu);
    const load = "--parallel-orchestrations 2 --iterations 40 --parallel-activities 2";
    const runOver = async (workerPort: string): Promise<FanOutResult> => {
      const connection = `Endpoint=http://127.0.0.1:${workerPort};Authentication=None;TaskHub=default`;
      const worker = place.start("worker --port 0 --connection-string", connection);
      await worker.says(/Connected to/u);
      const result = await runTraced(place, load);
      worker.kill("SIGTERM");
      await worker.ended;
      return result;
    };
    const [direct, delayed] = [await runOver(port), await runOver(delayedPort)];
    for (const phase of ["queue", "return"] as const) {
      const roseMs = eachMs(delayed, phase) - eachMs(direct, phase);
      expect(roseMs).toBeGreaterThan(19);
      expect(roseMs).toBeLessThan(23);
    }
  });

  test("a worker that takes one activity at a time: queue", async () => {
    const place = await Workplace.open();
    await place.start("worker --port 0 --max-concurrent-activities 1").says(/Connected to/u);
    const load = "--parallel-orchestrations 1 --iterations 10 --parallel-activities 10 --activity-duration 20ms";
    const result = await runTraced(place, load);
    const alone = await runTraced(place, load.replace("--parallel-activities 10", "--parallel-activities 1"));
    // The last of n activities waits for the n - 1 before it, each of which takes its execution and its way there and back.
    const [queueMs, executeMs] = [eachMs(result, "queue"), eachMs(result, "execute")];
    const wayMs = wayOf(alone);
    expect(queueMs).toBeGreaterThanOrEqual(9 * 20);
    // The way is that of another run, so a tenth is left for what differs between them.
    expect(queueMs).toBeLessThan(1.1 * (9 * executeMs + 10 * wayMs));
  });

  test("fan-outs of exp(50 ms) x 20: the last against the median", async () => {
    const place = await Workplace.open();
    await place.start("worker --port 0").says(/Connected to/u);
    // The run id is fixed, and with it every duration that is drawn. The ratio of this draw is 5.19, and 5.01 is expected. So a
    // busy machine, which lengthens all executions alike, has as much room as one that lengthens the last.
    const load = "--parallel-orchestrations 2 --iterations 60 --parallel-activities 20 --activity-duration exp:50ms";
    const { fanIn, workers } = await runTraced(place, `${load} --run-id straggling`);
    const { execute, turnaround } = workers![0]!;
    // Of n exponential times of mean m, the k-th smallest is m (H(n) - H(n - k)) on average. The median of 20 is the mean of
    // the 10th and the 11th. An activity takes its way to the worker and back besides.
    const [lastMs, medianMs] = [50 * harmonic(20), 50 * (harmonic(20) - (harmonic(10) + harmonic(9)) / 2)];
    const wayMs = turnaround!.mean - execute!.mean;
    const { ratio, execute: alone } = fanIn!.stragglers!;
    for (const share of [alone!.ratio! / (lastMs / medianMs), ratio! / ((lastMs + wayMs) / (medianMs + wayMs))]) {
      expect(share).toBeGreaterThan(0.9);
      expect(share).toBeLessThan(1.1);
    }
  });
});

/** H(n) = 1 + 1/2 + ... + 1/n */
function harmonic(n: number): number {
  return Array.from({ length: n }, (_, index) => 1 / (index + 1)).reduce((sum, term) => sum + term, 0);
}
