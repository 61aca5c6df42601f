import type { Command } from "commander";
import { CONNECTION_STRING, TASK_HUB, examples, withDefault, type CliContext } from "./options.js";

export function addTimeline(fanout: Command, { io, exit }: CliContext): void {
  fanout
    .command("timeline")
    .summary("show what an orchestration waited for, and when")
    .description(
      "Shows the history of orchestrations as timelines: activities, timers, external events, retries and " +
        "sub-orchestrations. It reads any orchestration on a backend that has StreamInstanceHistory, and changes nothing.",
    )
    .argument("<id...>", "instances; several have a timeline each, one after another")
    .addOption(withDefault("--depth <n>", "follow sub-orchestrations so deep into each other", "3"))
    .option("--json", "print one JSON document with all spans")
    .option("--html <file>", "write one page, which needs no network")
    .option("--trace-events <file>", "write the Chrome trace event format, for https://ui.perfetto.dev")
    .option(...CONNECTION_STRING)
    .option(...TASK_HUB)
    .addHelpText("after", examples(["fanout timeline order-17", "fanout timeline order-17 order-18 --json"]))
    .action(async (ids: readonly string[], flags: unknown) => {
      const { runTimelineCommand } = await import("../commands/timeline.js");
      exit(await runTimelineCommand(ids, flags, io));
    });
}
