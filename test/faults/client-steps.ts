import { writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { NoOpLogger, TaskHubGrpcClient, terminateOptions } from "@microsoft/durabletask-js";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { endAtOnce } from "../support/emulator/end-at-once.js";
import { RawConnection, metadataOf, stringValue, timestampOf } from "../support/emulator/raw-connection.js";
import { growthFaults, type HistoryEvent } from "./growth-check.js";
import { TERMINATION, type Script, type Step } from "./scripts.js";

/** A client of one task hub: the SDK's, and one for what that does not know. */
export interface HubClient {
  readonly client: TaskHubGrpcClient;
  readonly raw: RawConnection;
}

interface Place extends HubClient {
  readonly script: Script;
  readonly instanceId: string;
  /** Whether nobody has asked for it before. */
  readonly first: boolean;
}

export interface Answer {
  /** What is wrong about it. */
  readonly wrong?: string | undefined;
  /** What the log is to keep of it: no spaces. */
  readonly told?: string;
}

/** They are numbers alone, whatever the declaration of the enumeration says. */
const ANY_STATUS = Object.values(pb.OrchestrationStatus).filter((value) => typeof value === "number");

/** How often something is looked at that changes by itself. */
const LOOK_MS = 20;

const CHANNEL = {
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 30,
  "grpc.min_reconnect_backoff_ms": 30,
  "grpc.max_reconnect_backoff_ms": 100,
};

export function connectTo(socket: string, hub: string): HubClient {
  const address = `unix:${socket}`;
  const client = new TaskHubGrpcClient({
    hostAddress: address,
    options: CHANNEL,
    logger: new NoOpLogger(),
    metadataGenerator: () => Promise.resolve(metadataOf(hub)),
  });
  return { client, raw: new RawConnection(address, hub, CHANNEL) };
}

/** What it is told whose first call of its kind was carried out, though the answer was lost. */
export const CARRIED_OUT: Readonly<Partial<Record<Step["do"], number>>> = {
  start: status.ALREADY_EXISTS,
  rewind: status.FAILED_PRECONDITION,
  // It runs again: another restart is for when it has ended.
  restart: status.FAILED_PRECONDITION,
};

/** What there is to do for each kind of step. */
export const DO: {
  readonly [K in Step["do"]]: (at: Place, step: Extract<Step, { do: K }>) => Promise<Answer | void>;
} = {
  start: async ({ raw, script, instanceId }, { aheadMs }) => {
    await raw.start(instanceId, script.orchestrator, (request) => {
      request.setInput(stringValue(JSON.stringify(script.input)));
      if (aheadMs !== undefined) request.setScheduledstarttimestamp(timestampOf(Date.now() + aheadMs));
      // One whose answer was lost is told that it was carried out, also if the instance has ended since.
      request.setOrchestrationidreusepolicy(new pb.OrchestrationIdReusePolicy());
    });
  },
  replace: async ({ raw, instanceId }, { orchestrator, input }) => {
    await raw.start(instanceId, orchestrator, (request) => {
      request.setInput(stringValue(JSON.stringify(input)));
      const policy = new pb.OrchestrationIdReusePolicy();
      policy.setReplaceablestatusList(ANY_STATUS);
      request.setOrchestrationidreusepolicy(policy);
    });
  },
  restart: async ({ client, instanceId }, { withNewId }) => {
    const told = await client.restartOrchestration(instanceId, withNewId);
    return { told, wrong: withNewId === (told === instanceId) ? `it has the id ${told} now` : undefined };
  },
  raise: ({ client, instanceId }, { event, data }) => client.raiseOrchestrationEvent(instanceId, event, data),
  suspend: ({ client, instanceId }) => client.suspendOrchestration(instanceId),
  resume: ({ client, instanceId }) => client.resumeOrchestration(instanceId),
  rewind: ({ client, instanceId }) => client.rewindInstance(instanceId, "it is mended"),
  terminate: ({ client, instanceId }) =>
    client.terminateOrchestration(instanceId, terminateOptions({ output: TERMINATION, recursive: true })),
  endAtOnce: async ({ raw, first }, { instanceId }) => {
    const missed = await endAtOnce(raw, [instanceId], TERMINATION);
    return { wrong: first && missed.length > 0 ? "it was said not to run" : undefined };
  },
  awaitStart: async ({ client }, { instanceId }) => {
    while ((await client.getOrchestrationState(instanceId, false)) === undefined) await setTimeout(LOOK_MS);
  },
  awaitEnd: async ({ client, instanceId }) => {
    const state = await client.waitForOrchestrationCompletion(instanceId, false, 600);
    return { wrong: state === undefined ? "there is no such instance" : undefined };
  },
  purge: async ({ client, instanceId, first }) => {
    const purged = await client.purgeOrchestration(instanceId);
    return { wrong: first && purged?.deletedInstanceCount !== 1 ? "nothing was purged" : undefined };
  },
  watchHistory: async ({ raw, instanceId, script }) => {
    for (;;) {
      const before = histories.get(script) ?? [];
      const events = await raw.history(instanceId);
      const [wrong] = growthFaults(before, events);
      histories.set(script, events);
      if (wrong !== undefined || events.at(-1)?.executioncompleted) return { wrong };
      await setTimeout(LOOK_MS);
    }
  },
  mend: async (_at, { file }) => {
    writeFileSync(file, "");
  },
  recreate: async ({ raw }) => {
    const request = new pb.CreateTaskHubRequest();
    request.setRecreateifexists(true);
    await raw.call("CreateTaskHub", request, pb.CreateTaskHubResponse);
  },
};

/** What was last read of a history, over failed calls too. */
const histories = new Map<Script, readonly HistoryEvent[]>();
