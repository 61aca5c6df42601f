import type { Command } from "commander";
import type { WorkerFlags } from "../commands/worker.js";
import { CONNECTION_STRING, REPLAY, TASK_HUB, TRANSPORT, examples, withDefault, type CliContext } from "./options.js";

export function addWorker(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("worker")
    .summary("execute orchestrations and activities until stopped")
    .description(
      "Executes orchestrations and activities until Ctrl-C or SIGTERM, then finishes the work that it holds.",
    )
    .option("--host <host>", "the name or the address of /status, /health, /ready and /metrics (default: 127.0.0.1)")
    .option("--port <port>", "their port; 0 takes any free one (default: 5001, or the next free one)")
    .option("--no-http", "serve no /status, /health, /ready and /metrics")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .option(...TRANSPORT)
    .option(...REPLAY)
    .option("--max-concurrent-activities <n>", "activities to hold at a time (default: 2,000)")
    .option("--max-concurrent-orchestrators <n>", "orchestrators to hold at a time (default: 200)")
    .addOption(withDefault("--drain-timeout <duration>", "give back what has not ended by then", "25s"))
    .addOption(withDefault("--log <lines|json>", "the form of the log", "lines"))
    .addHelpText("after", examples(["fanout worker", "fanout worker --host 0.0.0.0 --port 8080 --log json"]))
    .action(async (flags: WorkerFlags) => {
      const { runWorkerCommand } = await import("../commands/worker.js");
      exit(await runWorkerCommand(flags, io));
    });
}
