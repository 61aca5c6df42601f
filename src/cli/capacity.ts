import { Option, type Command } from "commander";
import {
  ARRIVAL,
  CONNECTION_STRING,
  LABEL,
  MAX_OUTAGE,
  TASK_HUB,
  REPLAY,
  SEED,
  TRANSPORT,
  examples,
  repeatable,
  withDefault,
  type CliContext,
} from "./options.js";
import { addWork } from "./run.js";
import { keepYoungGenerationSmall } from "./young-generation.js";

export function addCapacity(fanout: Command, { io, exit }: CliContext): void {
  const capacity = fanout
    .command("capacity")
    .summary("search for the highest load that a backend holds within objectives")
    .description(
      "Probes a backend with runs until it knows the highest rate of starts that holds the objectives, and the lowest " +
        "that does not. With --closed it searches for the number of orchestrations in flight.",
    );
  addSearch(capacity);
  addWork(capacity);
  addLoad(capacity);
  addResults(capacity);
  for (const flags of REFUSED) capacity.addOption(new Option(flags).hideHelp());
  capacity
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText(
      "after",
      examples([
        "fanout capacity --slo 'p99<2s' --slo 'errors<0.1%'",
        "fanout capacity --slo 'p99<2s' --at-least 100/s --json capacity.json",
        "fanout capacity --closed --slo 'service p99<5s' --html capacity.html",
      ]),
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      // Before there is much to load: the first modules would make it grow.
      keepYoungGenerationSmall();
      const { runCapacityCommand } = await import("../commands/capacity.js");
      exit(await runCapacityCommand(flags, io));
    });
}

/** Flags of `fanout run`. The command says what to use instead. */
const REFUSED = [
  "--rate <rate>",
  "--stages <stages>",
  "--duration <duration>",
  "--total <count>",
  "--parallel-orchestrations <count>",
  "--timeout <duration>",
  "--threshold <expression>",
  "--repeat <count>",
  "--baseline <file>",
  "--leave",
];

function addSearch(capacity: Command): void {
  capacity
    .optionsGroup("The search:")
    .addOption(repeatable("--slo <expression>", "what has to hold, such as 'p99<2s' or 'errors<0.1%'; repeatable"))
    .option("--closed", "search for the number in flight instead of the rate of starts")
    .option(
      "--from <level>",
      "the first rate, such as 10/s, or number in flight (default: a short calibration finds it)",
    )
    .option("--at-least <level>", "exit with 99 if this rate, or number in flight, does not hold")
    .addOption(withDefault("--precision <share>", "how narrow the interval has to be", "5%"))
    .addOption(withDefault("--max-time <duration>", "end the search after this long", "15m"))
    .option("--max-actions <count>", "end the search before it costs more; needed beyond the emulator")
    .option(
      "--capacity-units <1|2|3|consumption>",
      "tell the answer as a share of these units of a Dedicated scheduler, or of a Consumption one",
    );
}

function addLoad(capacity: Command): void {
  capacity
    .optionsGroup("The load of a probe:")
    .option(...ARRIVAL)
    .option("--max-in-flight <count>", "a probe misses beyond this many in flight (default: 10,000)")
    .option("--warmup <duration>", "run the load for this long before measuring (default: 2s to 15s, by the latency)")
    .option("--grace <duration>", "a probe misses if orchestrations take longer after its last start (default: 30s)")
    .option(...SEED)
    .optionsGroup("Workers and transport:")
    .addOption(
      withDefault(
        "--workers <auto|count>",
        "worker processes for the whole search; auto starts some if the embedded emulator has none",
        "auto",
      ),
    )
    .option("--worker-timeout <duration>", "warn, then give up, after this long without a worker")
    .option(...MAX_OUTAGE)
    .option(...TRANSPORT)
    .option(...REPLAY);
}

function addResults(capacity: Command): void {
  capacity
    .optionsGroup("Where results go:")
    .option("--json [file]", "write the answer and the probes as JSON to the file, or to stdout without a file name")
    .option("--html <file>", "write a page for a browser, with latency and throughput by level")
    .option("--text <file>", "write the printed answer")
    .option("--quiet", "print only the answer and errors")
    .option(
      "--run-id <id>",
      "the name of the search; the ids of its instances begin with it (default: a generated one)",
    )
    .addOption(repeatable(...LABEL));
}
