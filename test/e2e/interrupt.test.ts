import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { FanoutProcess } from "../support/e2e/fanout-process.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

const CTRL_C = "\u0003";
const SHOW_CURSOR = "\u001B[?25h";
const HIDE_CURSOR = "\u001B[?25l";
/** More than gets done before somebody presses Ctrl-C; its activities take time, so that they leave the machine to others. */
const LONG =
  "run --workers 1 --iterations 1000 --parallel-activities 2 --parallel-orchestrations 40 --activity-duration 200ms";

/** `script`, which lends a terminal to a program, takes these arguments on Linux alone. */
describe.skipIf(process.platform !== "linux")("on a terminal", () => {
  test("completed activities are seen rising at least three times before the end", async () => {
    const place = await Workplace.open();
    const load = "--parallel-orchestrations 10 --iterations 15 --parallel-activities 10 --activity-duration 100ms";
    const run = place.startOnTerminal(`run --workers 1 --allow-invalid ${load}`);
    expect(await run.ended).toMatchObject({ code: 0 });
    const counts = activitiesSeen(run.output, "1,500").filter((count) => count < 1_500);
    expect(counts).toEqual(counts.toSorted((a, b) => a - b));
    expect(new Set(counts).size).toBeGreaterThan(3);
    expect(run.words).toContain("Completed");
    expectCursorRestored(run.output);
  });

  test("Ctrl-C ends a run in order, and the emulator keeps running", async () => {
    const place = await Workplace.open();
    const run = await runAtWork(place);
    const { pid } = await place.runningEmulator();
    run.press(CTRL_C);
    const { code } = await run.ended;
    expect(run.words).toMatch(/interrupted: terminating 40 orchestrations in flight; press Ctrl-C again to exit now/u);
    expect(run.words).toMatch(/Interrupted.*: 0 of 40 orchestrations completed in/u);
    expect(run.words).toMatch(/not completed .*40 terminated/u);
    expect(code).toBe(130);
    expectCursorRestored(run.output);
    expect(await place.runningEmulator()).toMatchObject({ pid, instances: 40, inFlight: 0 });
    await place.succeed("run --workers 1");
    expect((await place.runningEmulator()).pid).toBe(pid);
  });

  test("a second Ctrl-C ends it at once, even if the backend does not answer", async () => {
    const place = await Workplace.open();
    const run = await runAtWork(place);
    const { pid } = await place.runningEmulator();
    process.kill(pid, "SIGSTOP");
    run.press(CTRL_C);
    await run.says(/interrupted: terminating 40 orchestrations in flight/u);
    // Two presses that come too close to each other are one, so it is pressed until it is heard.
    const impatient = setInterval(() => run.press(CTRL_C), 100);
    const { code } = await run.ended;
    clearInterval(impatient);
    expect(code).toBe(130);
    // Left alone, it would have waited for the emulator for five seconds, and then printed its summary.
    expect(run.words).not.toContain("Interrupted");
    expectCursorRestored(run.output);
    process.kill(pid, "SIGCONT");
    expect((await place.runningEmulator()).pid).toBe(pid);
  });

  test("with --leave, Ctrl-C leaves orchestrations running, and says where", async () => {
    const place = await Workplace.open();
    const run = await runAtWork(place, `${LONG} --leave`);
    run.press(CTRL_C);
    const { code } = await run.ended;
    expect(code).toBe(130);
    expect(run.words).toMatch(
      /interrupted: 40 orchestrations in flight left running on task hub default, ids r\w+-\*/u,
    );
    expect(run.words).toMatch(/not completed .*40 unfinished/u);
    expect(await place.runningEmulator()).toMatchObject({ instances: 40, inFlight: 40 });
  });

  test("closing the terminal ends a run in order with its results written, and the emulator keeps running", async () => {
    const place = await Workplace.open();
    const run = await runAtWork(place, `${LONG} --json result.json`);
    const { pid } = await place.runningEmulator();
    // The terminal is gone with the program that lent it: what is written to it from now on fails.
    run.kill("SIGKILL");
    const { interrupted, counts } = await resultIn(place, "result.json");
    expect(interrupted).toBe(true);
    expect(counts.orchestrations).toMatchObject({ started: 40, terminated: 40 });
    expect(await place.runningEmulator()).toMatchObject({ pid, inFlight: 0 });
  });

  test("under nohup a run outlives its terminal and finishes", async () => {
    const place = await Workplace.open();
    // Nobody works on it before its terminal has gone, so that it cannot end before.
    const line = "run --rate 20/s --duration 3s --workers 0 --worker-timeout 10m --iterations 1 --json result.json";
    const nohup = `exec nohup '${process.execPath}' '${FANOUT}' ${line}`;
    const terminal = place.startProgram("script", ["-qfec", nohup, "/dev/null"]);
    const log = join(place.folder, "nohup.out");
    await vi.waitFor(async () => expect(await readFile(log, "utf8")).toMatch(/^\d+ s: /mu), 30_000);
    terminal.kill("SIGKILL");
    await terminal.ended;
    place.start("worker --port 0");
    const { interrupted, counts } = await resultIn(place, "result.json");
    expect(interrupted).toBe(false);
    expect(counts.orchestrations).toMatchObject({ completed: 60 });
  });
});

test.each([
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const)("%s ends a run and its workers in order, with exit code %d", async (signal, exitCode) => {
  const place = await Workplace.open();
  const run = place.start(LONG);
  await run.says(/^\d+ s: 0 of 40 orchestrations, [1-9]/mu);
  run.kill(signal);
  const { code, stdout } = await run.ended;
  expect(code).toBe(exitCode);
  expect(stdout).toMatch(/^Interrupted: 0 of 40 orchestrations completed/u);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0, workers: 0 });
});

test("SIGHUP ends servers like SIGTERM, but not the background emulator", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  const serve = place.start("serve --port 0");
  await Promise.all([worker.says(/Connected to/u), serve.says(/Connected to/u)]);
  const { pid } = await place.runningEmulator();
  process.kill(pid, "SIGHUP");
  worker.kill("SIGHUP");
  serve.kill("SIGHUP");
  expect(await worker.ended).toMatchObject({ code: 0, stderr: expect.stringContaining("Drained") });
  expect(await serve.ended).toMatchObject({ code: 0, signal: null });
  expect((await place.runningEmulator()).pid).toBe(pid);
  await place.succeed("emulator stop");
  const foreground = place.start("emulator");
  await foreground.says(/durability/u);
  foreground.kill("SIGHUP");
  expect(await foreground.ended).toMatchObject({ code: 0, signal: null });
});

test("the workers of a killed run end too", async () => {
  const place = await Workplace.open();
  const run = place.start(LONG);
  await run.says(/^\d+ s: 0 of 40 orchestrations, [1-9]/mu);
  run.kill("SIGKILL");
  await vi.waitFor(async () => expect(await place.emulatorStatus()).toMatchObject({ workers: 0 }), 30_000);
  expect(await place.runningEmulator()).toMatchObject({ redelivered: 0 });
});

/** A long run on a terminal, some of its activities done. */
async function runAtWork(place: Workplace, line = LONG): Promise<FanoutProcess> {
  const run = place.startOnTerminal(line);
  await run.says(/activities .* [1-9][\d,]* \/ 80,000/u);
  return run;
}

/** What a run has written when it ended, on its own or not. */
async function resultIn(place: Workplace, file: string) {
  const path = join(place.folder, file);
  // Files are written whole.
  await vi.waitFor(() => access(path), 30_000);
  return parseRunResult(await readFile(path, "utf8"));
}

/** Every count of completed activities that the bar has shown. */
function activitiesSeen(output: string, total: string): readonly number[] {
  const counts = output.matchAll(new RegExp(`activities .*? ([\\d,]+) / ${total}`, "gu"));
  return Array.from(counts, ([, count = ""]) => Number(count.replaceAll(",", "")));
}

function expectCursorRestored(output: string): void {
  expect(output).toContain(HIDE_CURSOR);
  expect(output.lastIndexOf(SHOW_CURSOR)).toBeGreaterThan(output.lastIndexOf(HIDE_CURSOR));
}
