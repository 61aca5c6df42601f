import type { Command } from "commander";
import type { ServeFlags } from "../commands/serve.js";
import { CONNECTION_STRING, TASK_HUB, examples, repeatable, withDefault, type CliContext } from "./options.js";
import { planKeysOf } from "./plan-keys.js";

/** `run` has the flags that are the keys of a plan. */
export function addServe(fanout: Command, run: Command, { io, exit }: CliContext): void {
  fanout
    .command("serve")
    .summary("start orchestrations and runs over HTTP, and read their status")
    .description(
      "Serves the orchestration API and the run API over HTTP until Ctrl-C or SIGTERM, then cancels the runs that it has " +
        "started and finishes the requests in progress. / is a page for people, and /docs documents the API.",
    )
    .addOption(withDefault("--port <port>", "the port to listen on; 0 takes any free port", "5000"))
    .addOption(withDefault("--host <host>", "the name or the address to listen on", "127.0.0.1"))
    .option(
      "--api-key <key>",
      "require this key, 16 characters or more; prefer FANOUT_API_KEY, since other users can see command lines",
    )
    .option("--insecure", "let other machines in without a key")
    .addOption(
      repeatable(
        "--allowed-host <name>",
        "without a key: another name of this server, such as that of a Kubernetes service; repeatable",
      ),
    )
    .addOption(
      withDefault(
        "--max-pending <count>",
        "refuse POST /api/orchestrations (429) beyond this many unfinished orchestrations on the task hub",
        "100,000",
      ),
    )
    .addOption(withDefault("--max-runs <count>", "refuse to start a run (429) while this many are in progress", "1"))
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout serve", "FANOUT_API_KEY=... fanout serve --host 0.0.0.0"]))
    .action(async (flags: ServeFlags) => {
      const { runServeCommand } = await import("../commands/serve.js");
      exit(await runServeCommand(flags, { keys: planKeysOf(run), defaults: run.opts() }, io));
    });
}
