import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readResult } from "../../src/result/read-result.js";
import { soakSchema, type Soak } from "../../src/result/soak-schema.js";
import { Workplace } from "../support/e2e/workplace.js";

async function soakIn(place: Workplace): Promise<Soak> {
  return soakSchema.parse(JSON.parse(await readFile(join(place.folder, "soak/soak.json"), "utf8")));
}

const SMALL = "--iterations 1 --parallel-activities 1 --every 100ms --learn 2s";

test.each([
  ["--rate 5/s", "--duration: expected how long to hold the load, found none"],
  ["--duration 1h", "--rate: expected a rate of starts, found none"],
  ["--duration 1h --at 80%", "--at: expected --capacity-units with it"],
  ["--duration 1h --rate 5/s --at 80%", "--rate: expected it without --at"],
  ["--duration 5m --rate 0/s", "--rate: expected"],
  ["--duration 5m --rate 5/s", "--duration: expected longer than --learn, 10m"],
  ["--duration 1h --rate 5/s --learn 30s", "--learn: expected at least 20 intervals of --every, 3m20s"],
  ["--duration 1h --rate 5/s --every 10ms", "--every: expected 100 ms to 10m"],
  ["--duration 1h --rate 5/s --orchestrator Order --input 1", "--input: expected @file, found JSON"],
  ["--resume nowhere", "--resume: expected the folder of a soak, found no soak.json in nowhere"],
  ["--resume nowhere --rate 5/s", "--rate: expected it without --resume"],
  ["--duration 1h --rate 5/s --dir full", "--dir: expected a new or empty folder"],
  [
    "--duration 8h --at 80% --capacity-units 3 --connection-string Endpoint=https://example.invalid;Authentication=None;TaskHub=t",
    "this soak costs 138,240,",
  ],
  [
    "--duration 8h --rate 5/s --orchestrator Order --connection-string Endpoint=https://example.invalid;Authentication=None;TaskHub=t",
    "this soak may start 144,000 orchestrations of unknown cost",
  ],
])("soak %s is refused", async (flags, message) => {
  const place = await Workplace.open();
  await mkdir(join(place.folder, "full"));
  await writeFile(join(place.folder, "full/file"), "");
  const { code, stderr } = await place.run(`soak ${flags}`);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(message) });
});

test("a dry run of a soak prints the rate that keeps the share of the capacity busy", async () => {
  const place = await Workplace.open();
  const load = "--iterations 10 --parallel-activities 5 --at 80% --capacity-units 3 --duration 8h --max-actions 140M";
  const { code, stdout } = await place.run(`soak --dry-run ${load}`);
  expect(code).toBe(0);
  // 0.8 x 3 x 2,000 actions/s, and 1 + 2 x 50 actions each.
  expect(stdout).toContain("47.5/s");
});

test("a soak whose last orchestrations do not end within --grace says so, and exits with 1", async () => {
  const place = await Workplace.open();
  const load = "--rate 4/s --duration 3s --workers 0 --grace 100ms --allow-invalid";
  const { code, stdout, stderr } = await place.run(`soak ${load} ${SMALL} --dir soak`);
  expect({ code, stderr }).toEqual({ code: 1, stderr: expect.stringContaining("(--grace)") });
  expect(stdout).toContain("12 unfinished");
});

test("a folder that is removed costs the files, not the answer", async () => {
  const place = await Workplace.open();
  const soak = place.start(`soak --rate 10/s --duration 6s --workers 1 ${SMALL} --allow-invalid --dir soak`);
  await soak.says(/[1-9]\d* completed/u);
  // The soak may write a file meanwhile.
  await rm(join(place.folder, "soak"), { recursive: true, maxRetries: 10 });
  const { code, stdout, stderr } = await soak.ended;
  expect({ code, stdout }).toEqual({ code: 1, stdout: expect.stringContaining("60 of 60 completed") });
  expect(stderr).toContain("the checkpoint could not be written");
});

test("a soak of few starts makes its whole load, although its last start is due before the end", async () => {
  const place = await Workplace.open();
  const { code, stdout } = await place.run(
    `soak --rate 1/s --duration 3s --workers 1 ${SMALL} --dir soak --allow-invalid`,
  );
  expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("for 3 s of 3 s") });
});

test("a leg that gave up has made load until then", async () => {
  const place = await Workplace.open();
  const load = "--rate 10/s --duration 1h --workers 0 --worker-timeout 1s";
  const { code } = await place.run(`soak ${load} ${SMALL} --dir soak --allow-invalid`);
  expect(code).toBe(1);
  const { legs } = await soakIn(place);
  const leg = await readResult(join(place.folder, "soak/leg-1.json"));
  expect(legs).toMatchObject([{ ended: "stopped" }]);
  expect(Math.abs(legs[0]!.loadMs - leg.durationMs)).toBeLessThan(50);
});

test("orchestrations of a soak that somebody terminates are told, and end it with 1", async () => {
  const place = await Workplace.open();
  const load = "--rate 20/s --duration 6s --workers 1 --activity-duration 1s --run-id mine";
  const soak = place.start(`soak ${load} ${SMALL} --dir soak --allow-invalid`);
  await soak.says(/[1-9]\d* completed/u);
  expect(await place.run("terminate --run mine.1 --yes")).toMatchObject({ code: 0 });
  const { code, stdout } = await soak.ended;
  const { legs } = await soakIn(place);
  expect(legs).toMatchObject([{ ended: "done", failed: 0, unfinished: 0, lost: 0 }]);
  const { started, completed = 0, terminated = 0 } = legs[0]!;
  expect(terminated).toBeGreaterThan(0);
  expect(completed + terminated).toBe(started);
  expect(code).toBe(1);
  expect(stdout).toContain(`${terminated} terminated`);
});

test("a soak that goes on counts the legs before against --max-actions", async () => {
  const place = await Workplace.open();
  const load = "--rate 20/s --duration 4s --warmup 1s --workers 1 --max-actions 300 --allow-invalid";
  const soak = place.start(`soak ${load} ${SMALL} --dir soak`);
  await soak.says(/[1-9]\d* completed/u);
  soak.kill("SIGINT");
  expect(await soak.ended).toMatchObject({ code: 130 });
  const refused = await place.run("soak --resume soak");
  expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining("--max-actions: this soak costs") });
  expect(refused.stderr).toContain("more than the 300 allowed");
  expect((await soakIn(place)).legs).toHaveLength(1);
  const { code } = await place.run("soak --resume soak --max-actions 600");
  expect(code).toBe(0);
  const { legs, durationMs } = await soakIn(place);
  expect(legs.reduce((sum, { loadMs }) => sum + loadMs, 0)).toBeCloseTo(durationMs, 3);
  const starts = legs.reduce((sum, { started }) => sum + started, 0);
  expect(refused.stderr).toContain(`costs ${3 * starts} actions`);
});

test("a soak whose checkpoints are old is not resumed while its process lives", async () => {
  const place = await Workplace.open();
  const soak = place.start(`soak --rate 10/s --duration 1h --workers 1 ${SMALL} --dir soak`);
  await soak.says(/[1-9]\d* completed/u);
  soak.kill("SIGSTOP");
  await writeFile(join(place.folder, "soak/intervals.ndjson"), "");
  const { code, stderr } = await place.run("soak --resume soak");
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`process ${soak.pid} on `) });
  soak.kill("SIGKILL");
  await soak.ended;
  // Nothing but its process held it.
  const next = place.start("soak --resume soak");
  await next.says(/[1-9]\d* completed/u);
  expect((await soakIn(place)).legs).toHaveLength(2);
  next.kill("SIGINT");
  await next.ended;
});

test("a soak that still runs is not resumed", async () => {
  const place = await Workplace.open();
  const soak = place.start(
    `soak --rate 10/s --duration 1h --every 10s --learn 10m --dir soak --workers 1 --iterations 1`,
  );
  await soak.says(/[1-9]\d* completed/u);
  const { code, stderr } = await place.run("soak --resume soak");
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(`process ${soak.pid} on `) });
  soak.kill("SIGINT");
  await soak.ended;
});

test("Ctrl-C ends a soak, tells how to go on, and leaves nothing in flight", async () => {
  const place = await Workplace.open();
  const soak = place.start(`soak --rate 20/s --duration 1h --workers 1 ${SMALL} --dir soak`);
  await soak.says(/[1-9]\d* completed/u);
  soak.kill("SIGINT");
  const { code, stdout } = await soak.ended;
  expect(code).toBe(130);
  expect(stdout).toContain("fanout soak --resume soak");
  const { ended, legs } = await soakIn(place);
  expect(ended).toBe("interrupted");
  expect(legs).toMatchObject([{ ended: "interrupted", result: "leg-1.json" }]);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
  const elsewhere = await place.run("soak --resume soak --connection-string UseDevelopmentStorage=true;TaskHub=other");
  expect(elsewhere).toMatchObject({ code: 2, stderr: expect.stringContaining("the soak is on task hub default") });
  // A folder in the place of the file, which not even root reads.
  const intervals = join(place.folder, "soak/intervals.ndjson");
  await rm(intervals, { force: true });
  await mkdir(intervals);
  const unreadable = await place.run("soak --resume soak");
  expect(unreadable).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("--resume: the checkpoints in soak/intervals.ndjson cannot be read"),
  });
});
