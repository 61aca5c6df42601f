/**
 * What `fanout --help` costs against a script that only imports commander: whole processes, in turn, the ratio pair by
 * pair. Prints medians; the aim is a ratio of at most 1.5.
 *
 *     npm run build && node bench/startup.ts
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

const PAIRS = 21;

const root = path.join(import.meta.dirname, "..");
const folder = mkdtempSync(path.join(tmpdir(), "fanout-startup-"));
symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
const commander = path.join(folder, "commander.mjs");
writeFileSync(commander, `import { Command } from "commander";\nnew Command("x").parse();\n`);

const help = [path.join(root, "bin/fanout.js"), "--help"];
const pairs = Array.from({ length: PAIRS + 1 }, () => ({ fanoutMs: time(help), commanderMs: time([commander]) })).slice(
  1,
);
rmSync(folder, { recursive: true });

const ratio = median(pairs.map(({ fanoutMs, commanderMs }) => fanoutMs / commanderMs));
console.log(`fanout --help    ${median(pairs.map(({ fanoutMs }) => fanoutMs)).toFixed(1)} ms`);
console.log(`commander alone  ${median(pairs.map(({ commanderMs }) => commanderMs)).toFixed(1)} ms`);
console.log(`ratio            ${ratio.toFixed(2)} (median of ${PAIRS} pairs)`);

function time(args: readonly string[]): number {
  const startMs = performance.now();
  const { status } = spawnSync(process.execPath, args, { stdio: "ignore" });
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}`);

  return performance.now() - startMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
