/**
 * How often `fanout compare` finds what is there, and what is not: trials of R runs a side through the built binary, on
 * an embedded emulator of their own, the sides in turn, run by run. In half of the trials both sides are the same (A/A),
 * in the others the activities of the new one take 15 % longer (A/B). Prints counts of findings, and the machine.
 *
 *     npm run build && node bench/compare-trials.ts [--trials 20] [--runs 5]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
/** Nearly all of a run is its activities' duration, so that a slowdown of theirs is one of the run. */
const PLAN = ["--iterations", "3", "--parallel-activities", "1", "--parallel-orchestrations", "20", "--workers", "1"];
const DURATION_MS = 500;
const SLOWDOWN = 1.15;
/** Measured on a machine that was too busy: the comparison says that it judges nothing. */
const INVALID = 96;

interface Comparison {
  readonly figures: readonly { readonly figure: string; readonly ratio: number; readonly finding: string }[];
}

const { values } = parseArgs({
  options: { trials: { type: "string", default: "20" }, runs: { type: "string", default: "5" } },
});
const [trials, runs] = [values.trials, values.runs].map(Number);
const folder = mkdtempSync(path.join(tmpdir(), "fanout-trials-"));
const env = {
  ...process.env,
  FANOUT_STATE_DIR: path.join(folder, "state"),
  DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
};

try {
  const rows = [
    ...table(
      "A/A",
      Array.from({ length: trials! }, () => trial(1)),
    ),
    ...table(
      `A/B, ${Math.round((SLOWDOWN - 1) * 100)} % slower`,
      Array.from({ length: trials! }, () => trial(SLOWDOWN)),
    ),
  ];
  console.table(rows);
  const [cpu] = cpus();
  console.log(
    `${trials} trials of each, ${runs} runs a side; ${cpu?.model}, ${cpus().length} cores, Node ${process.versions.node}`,
  );
} finally {
  fanout(["emulator", "stop"]);
  rmSync(folder, { recursive: true });
}

/** Counts of the findings on each figure, with the median of the ratios that were seen. */
function table(name: string, comparisons: readonly Comparison[]): readonly Readonly<Record<string, string | number>>[] {
  const figures = comparisons[0]?.figures.map(({ figure }) => figure) ?? [];
  return figures.map((figure) => {
    const seen = comparisons.flatMap((comparison) => comparison.figures.filter((one) => one.figure === figure));
    const count = (finding: string): number => seen.filter((one) => one.finding === finding).length;
    return {
      trials: name,
      figure,
      slower: count("slower"),
      "no difference shown": count("no difference shown"),
      faster: count("faster"),
      "not judged": count("not judged"),
      "median ratio": median(seen.map(({ ratio }) => ratio)).toFixed(3),
    };
  });
}

function trial(slowdown: number): Comparison {
  const files = Array.from({ length: runs! }, (_, number) => ({
    base: measured(`base-${number}.json`, DURATION_MS),
    new: measured(`new-${number}.json`, Math.round(DURATION_MS * slowdown)),
  }));
  const sides = [...files.map(({ base }) => base), "--json", "--", ...files.map((pair) => pair.new)];
  return JSON.parse(fanout(["compare", ...sides]).stdout.toString()) as Comparison;
}

/** The file with the result of one run. */
function measured(name: string, durationMs: number): string {
  const file = path.join(folder, name);
  const { status, stderr } = fanout(["run", ...PLAN, "--activity-duration", `${durationMs}ms`, "--json", file]);
  if (status !== 0 && status !== INVALID) throw new Error(`fanout run ended with ${status}: ${stderr.toString()}`);
  return file;
}

function fanout(args: readonly string[]) {
  return spawnSync(process.execPath, [FANOUT, ...args], { env, stdio: ["ignore", "pipe", "pipe"] });
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
