import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildSlowCommits, callsIn, makeCountFile, type SlowCommits } from "../../../bench/throughput/slow-commits.js";

let folder: string;
let slow: SlowCommits | string;

beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), "fanout-slow-"));
  slow = buildSlowCommits(folder, 1);
});
afterAll(() => rmSync(folder, { recursive: true }));

test("each fsync and fdatasync of a command and of its children is slowed and counted", ({ skip }) => {
  if (typeof slow === "string") return skip(slow);
  const counts = path.join(folder, "counts");
  makeCountFile(counts);
  const syncs = `
    const fs = require("fs");
    const file = fs.openSync(process.argv[1], "w");
    fs.writeSync(file, "written");
    for (let n = 0; n < 5; n += 1) fs.fsyncSync(file);
    for (let n = 0; n < 7; n += 1) fs.fdatasyncSync(file);`;
  const parent = `require("child_process").spawnSync(process.execPath, ["-e", ...process.argv.slice(1)]); process.exit(3)`;
  const written = path.join(folder, "written");
  const [command, args] = slow.wrap(counts, process.execPath, ["-e", parent, syncs, written]);
  expect(spawnSync(command, args).status).toBe(3);
  expect(readFileSync(written, "utf8")).toBe("written");
  return expect(callsIn(counts)).toBe(12);
});

test("a command that is not there is told", ({ skip }) => {
  if (typeof slow === "string") return skip(slow);
  const [command, args] = slow.wrap(path.join(folder, "none"), path.join(folder, "no-such-program"), []);
  return expect(spawnSync(command, args, { encoding: "utf8" }).stderr).toMatch(/no-such-program: No such file/u);
});
