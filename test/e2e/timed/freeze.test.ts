import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { parseResult } from "../../../src/result/read-result.js";
import type { FanoutProcess } from "../../support/e2e/fanout-process.js";
import { Workplace } from "../../support/e2e/workplace.js";

const FREEZE_MS = 2_000;

/** Stops the emulator in the middle of the load, and continues it; resolves with how long it stood still. */
async function freezeEmulator(place: Workplace, run: FanoutProcess): Promise<number> {
  await run.says(/\b[1-9]\d\d completed/u);
  const { pid } = await place.runningEmulator();
  const stoppedMs = performance.now();
  process.kill(pid, "SIGSTOP");
  // What is measured here is time, so it has to pass.
  await sleep(FREEZE_MS);
  process.kill(pid, "SIGCONT");
  return performance.now() - stoppedMs;
}

function within(share: number, expected: number) {
  return { from: expected * (1 - share), to: expected * (1 + share) };
}

function expectBetween(found: number | undefined, { from, to }: { from: number; to: number }): void {
  expect(found).toBeGreaterThanOrEqual(from);
  expect(found).toBeLessThanOrEqual(to);
}

describe("a backend that freezes for two seconds", () => {
  test("delays all arrivals of open load, and the report names the stall", { timeout: 90_000 }, async () => {
    const place = await Workplace.open();
    const perSecond = 200;
    const small = "--workers 1 --iterations 1 --parallel-activities 1";
    const run = place.start(`run --rate ${perSecond}/s --duration 6s ${small} --allow-invalid --json`);
    const frozenMs = await freezeEmulator(place, run);
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = parseResult(stdout, "stdout");
    const { started, completed } = result.counts.orchestrations;
    expect({ started, completed }).toEqual({ started: 1_200, completed: 1_200 });

    const { p99, max = 0 } = result.latencyMs.response ?? {};
    expect(max).toBeGreaterThanOrEqual(FREEZE_MS);
    // Whoever was due first waited longest, each later one a gap less; of 1,200 the p99 leaves the 12 longest out.
    const drainMs = max - frozenMs;
    expectBetween(p99, within(0.1, frozenMs + drainMs - (0.01 * started * 1_000) / perSecond));

    expect(result.stalls).toHaveLength(1);
    const [stall] = result.stalls ?? [];
    // It ends with the first completion behind the freeze: on a machine that does much else, as late as the longest wait.
    expectBetween(stall?.lengthMs, { from: within(0.1, frozenMs).from, to: within(0.1, max).to });
    expectBetween(stall?.offeredPerSecond, within(0.1, perSecond));
    expect(stderr).toMatch(/stalled: nothing has completed since \S+ s into the run, with [\d,]+ in flight/u);
    expect(stderr).toMatch(/stalled \d\.\d+ s from \S+ s on/u);
  });

  test(
    "delays only the orchestrations in flight in closed load, and the text says so",
    { timeout: 90_000 },
    async () => {
      const place = await Workplace.open();
      const run = place.start(
        "run --workers 1 --parallel-orchestrations 20 --duration 5s --iterations 1 --parallel-activities 1 --allow-invalid",
      );
      const frozenMs = await freezeEmulator(place, run);
      const { code, stdout, stderr } = await run.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(stdout).toMatch(/service/u);
      expect(stdout).not.toMatch(/^ +response/mu);
      expect(stdout).toMatch(/closed load cannot show/iu);
      const [, seconds] = /stalled (\d+\.\d+) s from/u.exec(stdout) ?? [];
      // Twenty in flight go in step, so that it may meet all of them before the emulator has accepted them, or behind.
      const waits = [...stdout.matchAll(/^ +(?:service|startRpc) .* (\d+\.\d+) s/gmu)].map(([, max]) => Number(max));
      const longestMs = Math.max(...waits) * 1_000;
      expect(longestMs).toBeGreaterThanOrEqual(FREEZE_MS);
      expectBetween(Number(seconds) * 1_000, { from: within(0.1, frozenMs).from, to: within(0.1, longestMs).to });
    },
  );
});
