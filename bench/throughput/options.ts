import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import type { Engine } from "#engine";
import { RESTATE_PARTITIONS, allEngines, enginesNamed } from "#engines";
import { WORKLOADS, workloadsNamed, type Workload } from "#workloads";

export interface Options {
  readonly help: boolean;
  readonly workloads: readonly Workload[];
  readonly engines: readonly Engine[];
  /** The name of the engine that ratios are to. */
  readonly baseline: string;
  readonly reps: number;
  readonly limitSeconds: number;
  readonly slowCommitsMs?: number;
  /** The folder in which a folder is made for all that the engines keep. */
  readonly scratch: string;
  readonly jsonFile?: string;
}

/** @throws Error that names the option and what was expected of it */
export function parseOptions(argv: readonly string[]): Options {
  const { positionals, values } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      engines: { type: "string" },
      baseline: { type: "string", default: "restate" },
      reps: { type: "string", default: "3" },
      limit: { type: "string", default: "300" },
      "slow-commits": { type: "string" },
      "restate-partitions": { type: "string", default: String(RESTATE_PARTITIONS) },
      scratch: { type: "string", default: tmpdir() },
      json: { type: "string" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  const engines = allEngines({ restatePartitions: count("--restate-partitions", values["restate-partitions"]) });
  const { baseline, scratch, help } = values;
  enginesNamed(engines, [baseline]);
  return {
    help,
    workloads: workloadsNamed(positionals),
    engines: values.engines === undefined ? engines : enginesNamed(engines, values.engines.split(",")),
    baseline,
    reps: count("--reps", values.reps),
    limitSeconds: count("--limit", values.limit),
    ...(values["slow-commits"] !== undefined && { slowCommitsMs: count("--slow-commits", values["slow-commits"]) }),
    scratch,
    ...(values.json !== undefined && { jsonFile: values.json }),
  };
}

export function helpText({ engines }: Options): string {
  const sizes = WORKLOADS.map(
    (one) => `  ${one.name.padEnd(12)} ${one.orchestrations} x ${one.iterations} x ${one.activities}`,
  );
  return `Usage: node bench/throughput.ts [workload...] [options]

Workloads (orchestrations x iterations x activities), all of them where none is named:
${sizes.join("\n")}

Options:
  --engines <a,b,...>       default: all of
                            ${engines.map(({ name }) => name).join(" ")}
  --baseline <engine>       what ratios are to (default: restate)
  --reps <count>            timed runs of each, in turn (default: 3)
  --limit <seconds>         how long one run may take (default: 300)
  --slow-commits <ms>       durable engines take part a second time, with so much added to each fsync
  --restate-partitions <n>  (default: ${RESTATE_PARTITIONS})
  --scratch <folder>        where engines keep their data: a folder on a real disk (default: ${tmpdir()})
  --json <file>             write all that was measured

Before it: npm run build, and for the peers npm ci --prefix bench. PostgreSQL and Redis are the system's own
(apt-get install postgresql redis-server). An engine that is not there is left out, and the reason is told.

Exits with 1 where a result was lost, doubled or wrong, or an engine failed; with 2 where an option is wrong.`;
}

function count(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new Error(`${option}: expected a whole number above 0, found "${text}"`);
  return value;
}
