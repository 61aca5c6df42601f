import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

/** Longer than a start waits for its answer. */
const FROZEN_MS = 40_000;

test("an emulator that freezes for longer than a start waits neither loses nor refuses a start", async () => {
  const place = await Workplace.open();
  const run = place.start("run --json --rate 20/s --duration 15s --grace 2m --iterations 1 --allow-invalid");
  await run.says(/^[23] s: /mu);
  const { pid } = await place.runningEmulator();
  process.kill(pid, "SIGSTOP");
  await sleep(FROZEN_MS);
  process.kill(pid, "SIGCONT");
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { counts, recount, unanswered } = parseRunResult(stdout);
  expect(counts.orchestrations).toMatchObject({ started: 300, completed: 300 });
  expect(counts.rpcErrors["DEADLINE_EXCEEDED"]).toBeGreaterThan(100);
  expect(recount).toMatchObject({ instances: 300, lost: { total: 0 }, unexpected: { total: 0 } });
  expect(unanswered).toBeUndefined();
});
