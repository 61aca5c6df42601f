import { Readable } from "node:stream";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import type { CallSlots } from "./call-slots.js";
import type { Instance } from "./contract.js";
import { Patience } from "./patience.js";

/** Instances of one request that are read ahead of the one whose turn it is. */
const READ_AHEAD = 16;
/** What is gathered of an answer before its first byte leaves: up to here a failure is still answered as such. */
const GATHERED_CHARACTERS = 8_388_608;

export interface InstanceSource {
  readonly client: () => Promise<OrchestrationClient>;
  readonly slots: CallSlots;
}

/** The instance as the contract has it, or undefined if there is none of that id. */
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
    // It goes on under the same id: to a caller it is running.
    status: state.status === "ContinuedAsNew" ? "Running" : state.status,
    created: new Date(state.createdMs).toISOString(),
    lastUpdated: new Date(state.lastUpdatedMs).toISOString(),
    output: state.output ?? null,
  };
}

/**
 * The answer about many, as JSON. A thousand outputs of megabytes each are not held at once: a large answer is a stream
 * that reads as it goes, and breaks off if the backend then fails.
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
    // Read ahead of its turn: it may fail before anybody waits for it.
    read.catch(() => {});
    reads.push(read);
    if (reads.length >= READ_AHEAD) yield await reads.shift();
  }
  for (const read of reads) yield await read;
}
