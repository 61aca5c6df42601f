import type { Command } from "commander";
import {
  ARRIVAL,
  CONNECTION_STRING,
  LABEL,
  MAX_OUTAGE,
  REPLAY,
  SEED,
  TASK_HUB,
  TRANSPORT,
  examples,
  repeatable,
  withDefault,
  workersOption,
  type CliContext,
} from "./options.js";
import { givenNames } from "./plan-keys.js";
import { addWork } from "./run.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

export function addSoak(fanout: Command, { io, exit }: CliContext): void {
  const soak = fanout
    .command("soak")
    .summary("hold a load for hours, and tell when something changes")
    .description(
      "Starts orchestrations at one rate for hours. It learns what is usual, tells when throughput, latency or the " +
        "number of workers changes, and keeps the evidence. Checkpoints let it go on after its process has ended.",
    );
  addLoad(soak);
  addWork(soak);
  addAlarms(soak);
  addRest(soak);
  soak
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout soak --rate 20/s --duration 8h",
        "fanout soak --at 80% --capacity-units 3 --duration 8h --max-actions 140M",
        "fanout soak --resume soak-rmb1x2y3z4abc",
      ]),
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      // Before there is much to load: the first modules would make it grow.
      keepYoungGenerationSmall();
      const { runSoakCommand } = await import("../commands/soak.js");
      exit(await runSoakCommand(flags, givenNames(soak), io));
    });
}

function addLoad(soak: Command): void {
  soak
    .optionsGroup("The load:")
    .option("--duration <duration>", "hold the load for this long, such as 8h")
    .option("--rate <rate>", "start at this rate, such as 50/s")
    .option("--at <share>", "start at the rate that keeps this share of --capacity-units busy, such as 80%")
    .option("--capacity-units <1|2|3|consumption>", "the units of a Dedicated scheduler, or a Consumption one")
    .option("--max-actions <count>", "refuse a soak that costs more; needed above 100,000, except on the emulator")
    .option("--dry-run", "print the plan and its cost, and start nothing")
    .option(...ARRIVAL)
    .option("--max-in-flight <count>", "hold back starts beyond this many in flight (default: 10,000)")
    .option("--warmup <duration>", "run the load for this long before anything is judged; adds to the duration")
    .option("--grace <duration>", "wait up to this long for the orchestrations in flight at the end (default: 30s)")
    .option(...SEED);
}

function addAlarms(soak: Command): void {
  soak
    .optionsGroup("Alarms and checkpoints:")
    .addOption(withDefault("--every <duration>", "judge an interval of this length, and keep a checkpoint", "10s"))
    .addOption(withDefault("--learn <duration>", "learn for this long what is usual; no alarm before", "10m"))
    .option("--stop-on-alarm", "end the load at the first alarm")
    .option("--allow-invalid", "do not exit with 96 if the load generator was not healthy")
    .option("--dir <folder>", "keep checkpoints, results and evidence here (default: soak-ID)")
    .option("--resume <folder>", "go on with the soak of this folder, which ended early");
}

function addRest(soak: Command): void {
  soak
    .optionsGroup("Workers and transport:")
    .addOption(workersOption())
    .option("--worker-timeout <duration>", "warn, then give up, after this long without a worker")
    .option(...MAX_OUTAGE)
    .option(...TRANSPORT)
    .option(...REPLAY)
    .optionsGroup("Where results go:")
    .option("--json [file]", "write what it found as JSON to the file, or to stdout without a file name")
    .option("--quiet", "print only what it found and errors")
    .option("--run-id <id>", "the name of the soak; the ids of its instances begin with it (default: a generated one)")
    .addOption(repeatable(...LABEL));
}
