/**
 * fanout beside what a user could run instead. Each engine is started once and warmed up with one run that is discarded;
 * then they take turns, so that what else the machine does meets all of them. Every result of every run is checked.
 *
 *     npm run build && npm ci --prefix bench && node bench/throughput.ts W1 W2 --reps 3
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { Contender } from "#contender";
import { describeMachine } from "#machine";
import { helpText, parseOptions, type Options } from "#options";
import { Session } from "#session";
import { buildSlowCommits } from "#slow-commits";
import { summarize, type WorkloadSummary } from "#summary";
import { machineLine, participantsTable, workloadTable } from "#table";

const Exit = { success: 0, failure: 1, usage: 2 } as const;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = parseOptions(process.argv.slice(2));
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return Exit.usage;
  }
  if (options.help) {
    console.log(helpText(options));
    return Exit.success;
  }
  const scratch = mkdtempSync(path.join(options.scratch, "fanout-bench-"));
  // PostgreSQL may run as another user, who has to get through.
  chmodSync(scratch, 0o711);
  const interrupted = interruption();
  try {
    return await measureIn(scratch, options, interrupted);
  } catch (error) {
    if (!interrupted.aborted) throw error;
    say(`Ended by ${interrupted.reason}`);
    return Exit.failure;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

async function measureIn(scratch: string, options: Options, interrupted: AbortSignal): Promise<number> {
  const { workloads, baseline, reps, limitSeconds, jsonFile } = options;
  const contenders = contendersOf(options, scratch);
  const session = new Session({ contenders, scratch, reps, limitSeconds, say, interrupted });
  const summaries: WorkloadSummary[] = [];
  try {
    const machine = describeMachine(scratch);
    console.log(`${machineLine(machine)}; medians of ${reps} (min..max)\n`);
    for (const workload of workloads) {
      const summary = summarize(workload, await session.measure(workload), baseline);
      summaries.push(summary);
      console.log(workloadTable(summary));
    }
    const participants = await session.participants();
    console.log(participantsTable(participants));
    if (jsonFile !== undefined) {
      const result = { machine, reps, baseline, participants, workloads: summaries };
      writeFileSync(jsonFile, `${JSON.stringify(result, undefined, 2)}\n`);
    }
  } finally {
    await session.stop();
  }
  const failed = summaries.some(({ contenders }) => contenders.some(({ absent }) => absent?.kind === "failed"));
  return failed ? Exit.failure : Exit.success;
}

/** All engines as they are, and where commits are slowed the durable ones once more. */
function contendersOf({ engines, slowCommitsMs }: Options, scratch: string): readonly Contender[] {
  const asTheyAre = engines.map((engine) => ({ engine }));
  if (slowCommitsMs === undefined) return asTheyAre;
  const slow = buildSlowCommits(scratch, slowCommitsMs);
  if (typeof slow === "string") {
    console.log(`No commit is slowed: ${slow}\n`);
    return asTheyAre;
  }
  return [...asTheyAre, ...engines.filter(({ durable }) => durable).map((engine) => ({ engine, slow }))];
}

/** Aborted by Ctrl-C or SIGTERM, with its name for a reason, so that no engine is left behind. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => controller.abort(signal));

  return controller.signal;
}

/** For a person who waits. */
function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
