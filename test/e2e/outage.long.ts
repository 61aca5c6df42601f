import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { openOwnHub, type OwnHub } from "../support/e2e/own-hub.js";
import { Workplace } from "../support/e2e/workplace.js";

const AWAY_MS = 20_000;
const LOAD = "--parallel-orchestrations 50 --iterations 40 --parallel-activities 2 --activity-duration 200ms";

/** Takes the backend away, and returns what brings it back. */
type TakeAway = (hub: OwnHub) => () => unknown;

test.each<{ how: string; takeAway: TakeAway }>([
  {
    how: "killed",
    takeAway: ({ emulator, start }) => {
      emulator.kill("SIGKILL");
      return start;
    },
  },
  {
    how: "stopped",
    takeAway: ({ emulator }) => {
      emulator.kill("SIGSTOP");
      return () => emulator.kill("SIGCONT");
    },
  },
])(
  "a backend that is $how for 20 s is told within 5 s, and the run completes with the outage in its result",
  async ({ takeAway }) => {
    const place = await Workplace.open();
    const hub = await openOwnHub(place);
    const run = place.start(`run --json ${LOAD} --connection-string`, hub.connection);
    await run.says(/of 4,000 activities/u);
    const bringBack = takeAway(hub);
    const awayMs = performance.now();
    await run.says(/the backend is away/u);
    const toldMs = performance.now() - awayMs;
    expect(toldMs).toBeLessThan(5_000);
    await sleep(AWAY_MS - toldMs);
    await bringBack();
    const { code, stdout, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/the backend answers again/u);
    const { outages = [], counts } = parseRunResult(stdout);
    expect(outages).toHaveLength(1);
    expect(outages[0]!.lengthMs).toBeGreaterThan(AWAY_MS - 5_000);
    expect(outages[0]!.lengthMs).toBeLessThan(AWAY_MS + 15_000);
    expect(counts).toMatchObject({
      orchestrations: { completed: 50, failed: 0, unfinished: 0 },
      activities: { completed: 4_000 },
    });
  },
);
