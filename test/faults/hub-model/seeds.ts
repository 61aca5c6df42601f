import { runSeed } from "./run-seed.js";

/** What is left is told without. */
const MOST_FAILED = 3;

interface Seeds {
  readonly first: number;
  readonly count: number;
}

/** `FUZZ_SEED=N FUZZ_COUNT=1` runs one again; it tells what happened. */
export function seedsOf(byDefault: Seeds): Seeds {
  return {
    first: Number(process.env["FUZZ_SEED"] ?? byDefault.first),
    count: Number(process.env["FUZZ_COUNT"] ?? byDefault.count),
  };
}

/** What is wrong with the first seeds that fail, and how often what happened in all. */
export async function runSeeds({ first, count }: Seeds): Promise<{ failed: string[]; counts: Map<string, number> }> {
  const failed: string[] = [];
  const counts = new Map<string, number>();
  for (let seed = first; seed < first + count && failed.length < MOST_FAILED; seed += 1) {
    const report = await runSeed(seed);
    if (count === 1 || (report.faults.length > 0 && failed.length === 0)) console.log(`seed ${seed}\n${report.told}`);

    if (report.faults.length > 0) failed.push(`seed ${seed}: ${report.faults.join("; ")}`);

    for (const [what, times] of report.counts) counts.set(what, (counts.get(what) ?? 0) + times);
  }
  return { failed, counts };
}
