import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import {
  cpuSeconds,
  endedChildrenCpuSeconds,
  parseStat,
  residentBytes,
} from "../../../bench/throughput/process-accounting.js";

/** Takes at least so much CPU time, whatever else the machine does; then tells so and waits. */
const BUSY_SECONDS = 0.1;
const BUSY = `while (process.cpuUsage().user < ${BUSY_SECONDS * 1e6}); console.log("done");`;
/** Two processes of Node never have less. */
const LEAST_BYTES = 30e6;
const WAIT = "setInterval(() => {}, 1_000);";

test("the name of a process may hold spaces and brackets", () => {
  const rest = "S 7 1 1 0 -1 4194560 1 2 3 4 10 20 30 40 20 0 1 0 0 0 0";
  expect(parseStat(`42 (a) b (c)) ${rest}`)).toEqual({ parent: 7, own: 30, ended: 70 });
});

test.runIf(process.platform === "linux")("children count, those that run and those that have ended", async () => {
  const parent = `
    const { spawn, spawnSync } = require("child_process");
    spawnSync(process.execPath, ["-e", ${JSON.stringify(BUSY)}]);
    spawn(process.execPath, ["-e", ${JSON.stringify(BUSY + WAIT)}], { stdio: ["ignore", "inherit", "inherit"] });
    process.on("SIGTERM", () => process.exit(0));
    ${WAIT}`;
  const child = spawn(process.execPath, ["-e", parent], { stdio: ["ignore", "pipe", "inherit"], detached: true });
  try {
    await once(child.stdout, "data");
    expect(cpuSeconds([child.pid!])).toBeGreaterThanOrEqual(2 * BUSY_SECONDS);
    expect(residentBytes([child.pid!])).toBeGreaterThan(LEAST_BYTES);
  } finally {
    process.kill(-child.pid!, "SIGKILL");
  }
});

test.runIf(process.platform === "linux")("a process that has ended is counted with its parent", () => {
  const before = endedChildrenCpuSeconds();
  spawnSync(process.execPath, ["-e", BUSY]);
  expect(endedChildrenCpuSeconds() - before).toBeGreaterThanOrEqual(BUSY_SECONDS);
});

test("a process that is not there has taken nothing", () => {
  expect(cpuSeconds([2 ** 30])).toBe(0);
  expect(residentBytes([2 ** 30])).toBe(0);
});
