import { Readable } from "node:stream";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { isoTime } from "../hub/instance-status.js";
import type { CallSlots } from "./call-slots.js";
import type { Instance } from "./request-schemas.js";
import { Patience } from "./patience.js";

/** Instances of one request that are read ahead of their turn. */
const READ_AHEAD = 16;
/** The part of an answer that is collected before it is sent. Up to here a failure still becomes an error status. */
const GATHERED_CHARACTERS = 8_388_608;

export interface InstanceSource {
  readonly client: () => Promise<OrchestrationClient>;
  readonly slots: CallSlots;
}

/** The instance in the form of the contract; undefined if there is none. */
export async function readInstance(
  instanceId: string,
  { client, slots }: InstanceSource,
): Promise<Instance | undefined> {
  using patience = new Patience();
  const { signal } = patience;
  const state = await slots.use(signal, async () =>
    (await client()).getInstance(instanceId, { payloads: true, signal }),
  );
  return state && instanceOf(state);
}

function instanceOf(state: InstanceState): Instance {
  return {
    id: state.instanceId,
    // The instance continues under the same id. For a caller it is running.
    status: state.status === "ContinuedAsNew" ? "Running" : state.status,
    created: isoTime(state.createdMs),
    lastUpdated: isoTime(state.lastUpdatedMs),
    output: state.output ?? null,
  };
}

/**
 * The answer about many instances, as JSON. A large answer is a stream, because a thousand outputs of megabytes do not
 * fit in memory. The stream breaks off if the backend then fails.
 */
export async function readInstances(ids: readonly string[], source: InstanceSource): Promise<string | Readable> {
  const chunks = answerChunks(ids, source);
  let head = "";
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    head += next.value;
    if (head.length > GATHERED_CHARACTERS) return Readable.from(following(head, chunks));
  }
  return head;
}

async function* following(head: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield head;
  yield* rest;
}

async function* answerChunks(ids: readonly string[], source: InstanceSource): AsyncGenerator<string> {
  yield `{"totalRequested":${ids.length},"instances":[`;
  let found = 0;
  for await (const instance of inOrder(ids, source)) {
    if (instance === undefined) continue;
    yield `${found === 0 ? "" : ","}${JSON.stringify(instance)}`;
    found += 1;
  }
  yield `],"foundInstances":${found}}`;
}

async function* inOrder(ids: readonly string[], source: InstanceSource): AsyncGenerator<Instance | undefined> {
  const reads: Promise<Instance | undefined>[] = [];
  for (const id of ids) {
    const read = readInstance(id, source);
    // It is read ahead of its turn and may fail before anybody awaits it.
    read.catch(() => {});
    reads.push(read);
    if (reads.length >= READ_AHEAD) yield await reads.shift();
  }
  for (const read of reads) yield await read;
}
