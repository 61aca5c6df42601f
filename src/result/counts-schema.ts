import { z } from "zod";
import { byName, count, list, object, oneOf, string } from "./json-field.js";
import { byGrpcStatus, listed, measured } from "./measured-field.js";

/** What decides which percentiles a sample carries. */
export const measuredStarts = object({
  started: measured.count,
  terminated: measured.count,
  unfinished: measured.count,
  unsent: measured.count
    .exactOptional()
    .describe("Not among the started: see counts.unsent. Absent where there is none."),
  lost: measured.count
    .exactOptional()
    .describe("Completed, and their latencies died with their generator; absent where none did."),
}).describe("Of the started, those that latencies are of: due after the warm-up. Absent in old results.");

export const counts = object({
  planned: count.exactOptional().describe("Starts that the plan called for; absent where only time bounded them."),
  warmup: measured.count.exactOptional().describe("Of the started, those that belong to the warm-up."),
  unsent: measured.count
    .exactOptional()
    .describe(
      "Starts that were due before the load ended and were never sent, because --max-in-flight held them back to the end or the " +
        "generator was late. They are not among the started; the planned include them. Absent where there is none.",
    ),
  orchestrations: object({
    started: measured.count,
    completed: measured.count,
    failed: measured.count,
    terminated: measured.count,
    unfinished: measured.count,
  }).describe("started = completed + failed + terminated + unfinished"),
  measured: measuredStarts.exactOptional(),
  activities: object({
    needed: measured.count.describe(
      "What all orchestrations of the plan need; where time bounds them, those that were started.",
    ),
    completed: measured.count,
    reExecuted: measured.count
      .exactOptional()
      .describe(
        "Executions beyond need, which at-least-once allows. A lower bound: a worker that is killed does not report its last " +
          "half second. Absent where not all workers are the run's own.",
      ),
    source: oneOf("emulator", "completions")
      .exactOptional()
      .describe("Who counted the completed: the emulator as it commits, or the run at each completion."),
  }).exactOptional(),
  actions: measured.count
    .exactOptional()
    .describe(
      "The Scheduler's billing units: what was dispatched and what came back. N x (1 + 2 x I x A) of a run that completed " +
        "without retries; what failed, was terminated or was tried again is counted from its history.",
    ),
  actionsAtLeast: measured.count
    .exactOptional()
    .describe("In place of actions where not all could be counted: what is known of them."),
  actionsMissing: string
    .exactOptional()
    .describe("Why not all actions could be counted; absent in old results, which did not tell."),
  rpcErrors: byGrpcStatus.describe(
    "Failed attempts by gRPC status name, such as UNAVAILABLE, those that a retry mended included.",
  ),
  rpcErrorsByCall: byName(byGrpcStatus, "an object of counts by call")
    .exactOptional()
    .describe("The same by the name of the call, such as StartInstance; absent where there is none."),
});

export const recount = z.union(
  [
    object({
      instances: measured.count,
      byStatus: byName(count, "an object of counts by status"),
      lost: listed(string).describe("Accepted and not there any more."),
      unexpected: listed(string).describe("There, and never accepted as far as the run knows."),
      byOrchestration: list(object({ orchestrator: string, instances: count, lost: count, unexpected: count }))
        .exactOptional()
        .describe("The same numbers of each orchestration; absent where the plan mixes none."),
    }),
    object({ unknown: string.describe("Why the backend could not be asked.") }),
  ],
  'an object with "instances", "byStatus", "lost" and "unexpected", or with "unknown"',
);

export const failedInstance = object({ instanceId: string, type: string, message: string });

export const stuckInstance = object({
  instanceId: string,
  status: string.describe("Unknown where the backend did not answer."),
  iterationsCompleted: count.exactOptional().describe("Absent where its custom status does not say."),
});
