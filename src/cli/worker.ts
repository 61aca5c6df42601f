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
    .addOption(withDefault("--port <port>", "the port of /status and /health on 127.0.0.1", "5001"))
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .option(...TRANSPORT)
    .option(...REPLAY)
    .option("--max-concurrent-activities <n>", "activities to hold at a time (default: 2,000)")
    .option("--max-concurrent-orchestrators <n>", "orchestrators to hold at a time (default: 200)")
    .addHelpText("after", examples(["fanout worker", "fanout worker --port 5002"]))
    .action(async (flags: WorkerFlags) => {
      const { runWorkerCommand } = await import("../commands/worker.js");
      exit(await runWorkerCommand(flags, io));
    });
}
