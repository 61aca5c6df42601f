import type { Command } from "commander";
import type { ServeFlags } from "../commands/serve.js";
import { CONNECTION_STRING, TASK_HUB, examples, repeatable, withDefault, type CliContext } from "./options.js";

export function addServe(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("serve")
    .summary("start orchestrations and read their status over HTTP")
    .description(
      "Serves the orchestration API over HTTP until Ctrl-C or SIGTERM, then finishes the requests under way. " +
        "Its page is at /docs.",
    )
    .addOption(withDefault("--port <port>", "where it listens; 0 takes any free port", "5000"))
    .addOption(withDefault("--host <host>", "the name or the address that it listens on", "127.0.0.1"))
    .option(
      "--api-key <key>",
      "ask for this key, 16 characters or more; others see it in the list of processes: FANOUT_API_KEY is better",
    )
    .option("--insecure", "let other machines in without a key")
    .addOption(
      repeatable(
        "--allowed-host <name>",
        "without a key: another name that it is reached by, such as that of a Kubernetes service; repeatable",
      ),
    )
    .addOption(
      withDefault(
        "--max-pending <count>",
        "refuse starts (429) that would leave more orchestrations unfinished on the task hub",
        "100,000",
      ),
    )
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout serve", "FANOUT_API_KEY=... fanout serve --host 0.0.0.0"]))
    .action(async (flags: ServeFlags) => {
      const { runServeCommand } = await import("../commands/serve.js");
      exit(await runServeCommand(flags, io));
    });
}
