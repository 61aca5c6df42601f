/**
 * A client in a process of its own, idle until its parent gives it scripts. It works them off side by side, each step
 * asked for until it is acknowledged, and begins behind what its log says that an earlier one was told.
 */
import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { NoOpLogger, TaskHubGrpcClient, terminateOptions } from "@microsoft/durabletask-js";
import { ClientLogFile, keyOf } from "./client-log.js";
import { TERMINATION, type Script, type Step } from "./scripts.js";

export interface ClientOrder {
  readonly socket: string;
  readonly logFile: string;
  readonly scripts: readonly Script[];
}

interface Place {
  readonly client: TaskHubGrpcClient;
  readonly script: Script;
  readonly instanceId: string;
  /** Whether nobody has asked for it before. */
  readonly first: boolean;
}

/** How soon a call is made again that failed. */
const AGAIN_MS = 25;

/** What a client is told that cannot know whether its call was carried out, or is told that it was not. */
const UNKNOWN: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
  status.UNKNOWN,
  status.RESOURCE_EXHAUSTED,
]);

/** What it is told whose first call of its kind was carried out, though the answer was lost. */
const CARRIED_OUT: Readonly<Record<string, number>> = {
  start: status.ALREADY_EXISTS,
  rewind: status.FAILED_PRECONDITION,
};

process.on("disconnect", () => process.exit(0));
process.once("message", (order: ClientOrder) => void work(order));
process.send?.({ ready: true });

async function work({ socket, logFile, scripts }: ClientOrder): Promise<void> {
  const log = new ClientLogFile(logFile);
  const { acknowledged, asked } = log.read();
  const metadata = new Metadata();
  metadata.set("taskhub", "default");
  const client = new TaskHubGrpcClient({
    hostAddress: `unix:${socket}`,
    options: {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.initial_reconnect_backoff_ms": 30,
      "grpc.min_reconnect_backoff_ms": 30,
      "grpc.max_reconnect_backoff_ms": 100,
    },
    logger: new NoOpLogger(),
    metadataGenerator: () => Promise.resolve(metadata.clone()),
  });
  await Promise.all(
    scripts.map(async (script) => {
      for (const [place, step] of script.steps.entries()) {
        const key = keyOf(script.instanceId, place);
        if (acknowledged.has(key)) continue;
        await setTimeout(step.afterMs);
        const violation = await ask(client, script, step, (asked.get(key) ?? 0) > 0, () => log.ask(key));
        if (violation !== undefined) {
          log.violation(`${key} ${step.do}: ${violation}`);
          return;
        }
        log.acknowledge(key);
        process.send?.({ acknowledged: key });
      }
    }),
  );
  process.exit(0);
}

/** Resolves when the step is acknowledged, with what is wrong about the answer if it is. */
async function ask(
  client: TaskHubGrpcClient,
  script: Script,
  step: Step,
  askedBefore: boolean,
  onAsk: () => void,
): Promise<string | undefined> {
  for (let first = !askedBefore; ; first = false) {
    onAsk();
    try {
      const at: Place = { client, script, instanceId: script.instanceId, first };
      return (await DO[step.do](at, step as never)) ?? undefined;
    } catch (error) {
      // The SDK puts an error of its own around some.
      const { code, message } = ((error as Error).cause ?? error) as ServiceError;
      if (!first && code === CARRIED_OUT[step.do]) return undefined;
      if (!UNKNOWN.has(code)) return message;
    }
    await setTimeout(AGAIN_MS);
  }
}

/** What there is to do for each kind of step; it resolves with what is wrong about the answer, if anything is. */
const DO: {
  readonly [K in Step["do"]]: (at: Place, step: Extract<Step, { do: K }>) => Promise<string | undefined | void>;
} = {
  start: async ({ client, script }) => {
    const { orchestrator, input, instanceId } = script;
    await client.scheduleNewOrchestration(orchestrator, input, { instanceId });
  },
  raise: ({ client, instanceId }, { event, data }) => client.raiseOrchestrationEvent(instanceId, event, data),
  suspend: ({ client, instanceId }) => client.suspendOrchestration(instanceId),
  resume: ({ client, instanceId }) => client.resumeOrchestration(instanceId),
  rewind: ({ client, instanceId }) => client.rewindInstance(instanceId, "it is mended"),
  terminate: ({ client, instanceId }) =>
    client.terminateOrchestration(instanceId, terminateOptions({ output: TERMINATION, recursive: true })),
  awaitEnd: async ({ client, instanceId }) => {
    const state = await client.waitForOrchestrationCompletion(instanceId, false, 600);
    return state === undefined ? "there is no such instance" : undefined;
  },
  purge: async ({ client, instanceId, first }) => {
    const purged = await client.purgeOrchestration(instanceId);
    return first && purged?.deletedInstanceCount !== 1 ? "nothing was purged" : undefined;
  },
  mend: async (_at, { file }) => {
    writeFileSync(file, "");
  },
};
