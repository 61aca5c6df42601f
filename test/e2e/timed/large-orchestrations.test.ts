import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { activitiesReach } from "../../support/e2e/hub-inspector.js";
import { FANOUT, Workplace } from "../../support/e2e/workplace.js";

const PROBE = fileURLToPath(new URL("../../support/e2e/turn-probe.mjs", import.meta.url));

test("a worker under large orchestrations answers probes, keeps its turns short, and returns work that has not begun", async () => {
  const place = await Workplace.open();
  const worker = place.startProgram(process.execPath, ["--import", PROBE, FANOUT, "worker", "--port", "0"]);
  const [, url = ""] = await worker.says(/Status on (\S+)\/status/u);
  await worker.says(/Connected to/u);
  const run = place.start(
    "run --workers 0 --leave --parallel-orchestrations 20 --iterations 3 --parallel-activities 2000",
  );
  const enough = new AbortController();
  const probing = longestProbeMs(`${url}/health`, enough.signal);
  await activitiesReach(10_000, place.socket, run);
  enough.abort();
  expect(await probing).toBeLessThan(1_500);

  const termMs = performance.now();
  worker.kill("SIGTERM");
  const { code, stderr } = await worker.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(performance.now() - termMs).toBeLessThan(10_000);
  expect(Number(/longest turn: (\d+) ms/u.exec(stderr)?.[1])).toBeLessThan(250);
  // Nothing had to be taken from it.
  expect(await place.runningEmulator()).toMatchObject({ redelivered: 0, workers: 0 });
  run.kill("SIGINT");
  await run.ended;
});

/** Asks over and over until it is told that it is enough; returns how long the longest answer took. */
async function longestProbeMs(url: string, enough: AbortSignal): Promise<number> {
  let longestMs = 0;
  while (!enough.aborted) {
    const askedMs = performance.now();
    expect((await fetch(url)).status).toBe(200);
    longestMs = Math.max(longestMs, performance.now() - askedMs);
  }
  return longestMs;
}
