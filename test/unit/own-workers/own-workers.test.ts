import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { OwnWorkers, restartDelayMs } from "../../../src/own-workers/own-workers.js";

/** A worker that connects, says its pid on stderr, and leaves when told to. */
const GOOD_WORKER = `
  process.on("message", (message) => message.type === "drain" && process.exit(0));
  process.on("disconnect", () => process.exit(0));
  process.send({ type: "connected" }, () => process.stderr.write("pid " + process.pid + "\\n"));
`;

describe("the run's own workers", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "own-workers-"));
  });
  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  /** Workers that run `code`, and a way to wait for what they say. */
  async function workersRunning(code: string, count: number, drainPatienceMs = 60_000) {
    const entry = join(folder, "worker.mjs");
    await writeFile(entry, code);
    const lines: string[] = [];
    let check: (() => void) | undefined;
    const say = (line: string): void => {
      lines.push(line);
      check?.();
    };
    const workers = new OwnWorkers({
      count,
      environment: { GREETING: "hello" },
      entry,
      timing: { drainPatienceMs, firstRestartMs: 1 },
      onLine: say,
      onGivenUp: say,
    });
    const said = (pattern: RegExp, times = 1): Promise<string[]> =>
      new Promise((resolve) => {
        check = () => {
          const found = lines.filter((line) => pattern.test(line));
          if (found.length >= times) resolve(found);
        };
        check();
      });
    workers.start();
    return { workers, lines, said };
  }

  test("have the requested number, and end on request", async () => {
    const { workers, lines, said } = await workersRunning(GOOD_WORKER, 2);
    await said(/pid \d+/u, 2);
    await workers.stop();
    expect(lines.filter((line) => line.includes("exited"))).toEqual([]);
  });

  test("are named and started again when they die", async () => {
    const { workers, said } = await workersRunning(GOOD_WORKER, 1);
    const [first] = await said(/pid \d+/u);
    process.kill(Number(/pid (\d+)/u.exec(first!)![1]), "SIGKILL");
    const [death] = await said(/ended by/u);
    expect(death).toMatch(/^worker 1 \(pid \d+\) was ended by SIGKILL; starting it again$/u);
    const pids = await said(/: pid \d+/u, 2);
    expect(new Set(pids).size).toBe(2);
    await workers.stop();
  });

  test("are given up on when they cannot even connect", async () => {
    const { workers, said } = await workersRunning("process.exit(7)", 1);
    const [reason] = await said(/not started again/u);
    expect(reason).toMatch(/worker 1 \(pid \d+\) exited with code 7/u);
    await workers.stop();
  });

  test("get their variables, and what they print on stderr is passed on", async () => {
    const { workers, said } = await workersRunning(`console.error(process.env.GREETING); ${GOOD_WORKER}`, 1);
    expect(await said(/hello/u)).toEqual(["worker 1: hello"]);
    await workers.stop();
  });

  test("are killed when they do not leave in time", async () => {
    const { workers, lines, said } = await workersRunning(
      `process.on("message", () => {}); setInterval(() => {}, 1000); process.stderr.write("ready\\n");`,
      1,
      50,
    );
    await said(/ready/u);
    // A worker that ignores its orders is gone when this resolves, or the test never ends.
    await workers.stop();
    expect(lines).toEqual(["worker 1: ready"]);
  });

  test.each([
    [1, 200],
    [2, 400],
    [5, 3_200],
    [9, 5_000],
  ])("after %d deaths in a row wait %d ms", (deaths, ms) => {
    expect(restartDelayMs(deaths, 200)).toBe(ms);
  });
});
