import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { capacitySchema, type CapacityResult } from "../../src/result/capacity-schema.js";
import { Workplace } from "../support/e2e/workplace.js";
import { DelayServerProcess } from "../support/load/delay-server-process.js";
import { CAPACITY_SCHEMA, schemaErrors } from "../support/report/published-schema.js";

const SMALL = "--iterations 1 --parallel-activities 1";

async function answerIn(place: Workplace, file: string): Promise<CapacityResult> {
  const document: unknown = JSON.parse(await readFile(join(place.folder, file), "utf8"));
  expect(schemaErrors(document, CAPACITY_SCHEMA)).toEqual([]);
  return capacitySchema.parse(document);
}

test("Ctrl-C tells what is known, and leaves nothing on the hub", async () => {
  const place = await Workplace.open();
  const search = place.start(`capacity --slo max<1m --from 5/s ${SMALL} --json a.json --html a.html --run-id mine`);
  await search.says(/grow +5\/s .* held/u);
  search.kill("SIGINT");
  const { code, stdout } = await search.ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^Capacity: at least 5\/s \(max<1m\)\n {2}why it ended +it was interrupted\n/u);
  const answer = await answerIn(place, "a.json");
  expect(answer).toMatchObject({ ended: "interrupted", held: 5, confirmed: false, left: [] });
  expect(answer.probes).toMatchObject([{ number: 1, runId: "mine.1", purpose: "grow", level: 5, outcome: "held" }]);
  expect(await readFile(join(place.folder, "a.html"), "utf8")).toContain("at least 5/s");
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
});

test("beyond the emulator a search needs --max-actions, and ends when they are spent", async () => {
  const place = await Workplace.open();
  const server = await DelayServerProcess.start({ delay: "constant:20ms" });
  const flags = `capacity --slo max<1m --from 4/s ${SMALL} --json a.json --warmup 1s --max-actions 250 --at-least 8/s`;
  const search = place.start(`${flags} --connection-string`, server.connectionString);
  const { code, stdout } = await search.ended;
  expect({ code, stdout }).toMatchObject({ code: 99, stdout: expect.stringContaining("the actions were spent") });
  const answer = await answerIn(place, "a.json");
  expect(answer).toMatchObject({ ended: "actions", held: 4, atLeast: { level: 8, passed: false }, left: [] });
  expect(answer.probes).toMatchObject([{ outcome: "held", level: 4 }]);
});

test.each([
  // Two starts of 22 actions each, and the calibration keeps four in flight.
  ["--max-actions 44", "actions"],
  ["--max-actions 1k --max-time 1s", "time"],
])("a search with %s, too little for the calibration, ends for want of %s", async (flags, ended) => {
  const place = await Workplace.open();
  const server = await DelayServerProcess.start({ delay: "constant:20ms" });
  const search = `capacity --slo max<1m --iterations 1 --parallel-activities 10 ${flags} --json a.json`;
  const { code } = await place.start(`${search} --connection-string`, server.connectionString).ended;
  expect(code).toBe(99);
  expect(await answerIn(place, "a.json")).toMatchObject({ ended, probes: [] });
});

test("a closed search begins with as many in flight as its objective can be judged by", async () => {
  const place = await Workplace.open();
  const server = await DelayServerProcess.start({ delay: "constant:500ms" });
  // Of 1,000 samples a p99 needs: two a second would take more than eight minutes. The actions end the search there.
  const flags = `capacity --closed ${SMALL} --max-actions 40 --json a.json --connection-string`;
  const { code } = await place.start(flags, server.connectionString, "--slo", "service p99<5s").ended;
  expect(code).toBe(99);
  const { ended, probes } = await answerIn(place, "a.json");
  expect(ended).toBe("actions");
  expect(probes.map(({ purpose, level }) => [purpose, level])).toEqual([["calibrate", 1]]);
});

test("of somebody's own orchestration, --max-actions bounds the starts of a search", async () => {
  const place = await Workplace.open();
  const server = await DelayServerProcess.start({ delay: "constant:20ms" });
  const flags = "capacity --slo max<1m --from 4/s --orchestrator Order --warmup 1s --max-actions 70 --json a.json";
  const { code, stdout, stderr } = await place.start(`${flags} --connection-string`, server.connectionString).ended;
  expect({ code, stderr }).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      "--max-actions: the search makes at most 70 starts, since the actions of Order are unknown",
    ) as string,
  });
  expect(stdout).toContain(
    "the starts were spent (--max-actions bounds the starts, as the actions of Order are unknown)",
  );
  const { ended, probes } = await answerIn(place, "a.json");
  expect(ended).toBe("actions");
  expect(probes.reduce((sum, { started }) => sum + started, 0)).toBeLessThanOrEqual(70);
});

test.each([
  ["--slo p99<2s --rate 5/s", "--rate: expected none"],
  [
    "--slo p99<2s --connection-string Endpoint=https://example.invalid;Authentication=None;TaskHub=t",
    "bound it with --max-actions",
  ],
  [
    "--slo p99<2s --orchestrator Order --connection-string Endpoint=https://example.invalid;Authentication=None;TaskHub=t",
    "the actions of Order are unknown: bound its starts with --max-actions, such as --max-actions 10k",
  ],
])("capacity %s is refused", async (flags, message) => {
  const place = await Workplace.open();
  const { code, stderr } = await place.run(`capacity ${flags}`);
  expect(code).toBe(2);
  expect(stderr).toContain(message);
});
