import { expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { openOwnHub } from "../support/e2e/own-hub.js";
import { Workplace } from "../support/e2e/workplace.js";

test("a backend that goes away in the middle of a run is told, waited for, and in the result", async () => {
  const place = await Workplace.open();
  const { emulator, start, connection } = await openOwnHub(place);
  // Twice as long as a run takes to its first line of progress, so that the line comes before the end on any machine.
  const load = "--parallel-orchestrations 50 --iterations 20 --parallel-activities 2 --activity-duration 200ms";
  const run = place.start(`run --json --allow-invalid --html report.html ${load} --connection-string`, connection);
  await run.says(/of 2,000 activities/u);
  emulator.kill("SIGKILL");
  await run.says(/the backend is away: no call has been answered since \S+ m?s into the run \(UNAVAILABLE/u);
  await start();
  const { code, stdout, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/the backend answers again, after \d/u);
  const { outages = [] } = parseRunResult(stdout);
  // On a busy machine another second without an answer may be one too.
  expect(Math.max(...outages.map(({ lengthMs }) => lengthMs))).toBeGreaterThan(2_000);
  for (const outage of outages) expect(outage).not.toHaveProperty("open");
});

test("a run whose backend stays away for --max-outage ends, and says so", async () => {
  const place = await Workplace.open();
  const { emulator, connection } = await openOwnHub(place);
  const load = "--parallel-orchestrations 20 --iterations 50 --activity-duration 200ms --max-outage 3s";
  const run = place.start(`run --json ${load} --connection-string`, connection);
  await run.says(/of 5,000 activities/u);
  emulator.kill("SIGKILL");
  const { code, stdout, stderr } = await run.ended;
  expect(code).toBe(1);
  expect(stderr).toContain("error: the backend did not answer for 3 s (--max-outage)");
  expect(parseRunResult(stdout)).toMatchObject({
    outages: [{ open: true, found: expect.stringContaining("UNAVAILABLE") }],
    counts: { orchestrations: { completed: 0, unfinished: 20 } },
  });
});
