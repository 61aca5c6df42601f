import { z } from "zod";
import { boolean, count, list, object, oneOf, string } from "./json-field.js";
import { measured } from "./measured-field.js";

export const durability = oneOf("disk", "process", "ephemeral", "fsync");

export const foreignWork = object({
  unfinished: measured.count,
  orchestrators: list(object({ name: string, unfinished: count })).describe("The ten with the most of them."),
});

export const hubSurvey = z.union(
  [
    object({
      unfinished: measured.count,
      more: boolean.describe("The count stopped at its limit, and there are more."),
      runs: list(object({ runId: string, unfinished: count })).describe(
        "Those of them that other fanout runs started.",
      ),
      foreign: foreignWork
        .exactOptional()
        .describe("Those of them that no load test started; absent in old results, which did not tell them apart."),
    }),
    object({ unknown: string.describe("Why it is not known.") }),
  ],
  'an object with "unfinished", "more" and "runs", or with "unknown"',
);

export const environment = object({
  fanoutVersion: string,
  sdkVersion: string,
  node: string,
  platform: string,
  cpu: object({ model: string, cores: count }),
  backend: object({
    kind: oneOf("emulator", "scheduler"),
    name: string,
    durability: durability
      .exactOptional()
      .describe(
        "What an acknowledged call survives. disk (fsync in old results): process and power. process: the process, not the " +
          "power. ephemeral: neither. The weakest where it changed during the run; absent where the backend does not tell.",
      ),
  }),
  taskHub: string,
  transport: oneOf("link", "http2", "grpc-js")
    .exactOptional()
    .describe(
      "What the run and its own workers made their calls with. link: the workers used the emulator's own framing, and the " +
        "run HTTP/2. Absent in old results: grpc-js.",
    ),
  ownWorkers: measured.count.describe("Worker processes that the run started for itself."),
  workers: object({ replay: oneOf("sessions", "always") })
    .exactOptional()
    .describe(
      "How they came to the state of an orchestration. sessions: kept between two episodes. always: by a replay of the " +
        "history at each. Absent where there were none, and in old results: always.",
    ),
  hub: hubSurvey.describe("What else was unfinished on the task hub when the run started, or why that is not known."),
});
