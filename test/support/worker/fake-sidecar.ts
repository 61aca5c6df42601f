import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  Metadata,
  Server,
  ServerCredentials,
  credentials,
  status,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
} from "@grpc/grpc-js";
import type { GrpcTarget } from "../../../src/backend/grpc-target.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

/** Values that come one by one, and tests that wait for the next. */
export class Inbox<T> {
  readonly #values: T[] = [];
  readonly #readers: ((value: T) => void)[] = [];

  put(value: T): void {
    const reader = this.#readers.shift();
    if (reader === undefined) this.#values.push(value);
    else reader(value);
  }

  next(): Promise<T> {
    const value = this.#values.shift();
    return value === undefined ? new Promise((resolve) => this.#readers.push(resolve)) : Promise.resolve(value);
  }

  get isEmpty(): boolean {
    return this.#values.length === 0;
  }
}

type WorkItemStream = ServerWritableStream<Buffer, Buffer>;
type Answer = (request: Buffer, answer: (code?: status) => void) => void;

const UNARY = [
  "Hello",
  "CompleteActivityTask",
  "CompleteOrchestratorTask",
  "AbandonTaskActivityWorkItem",
  "AbandonTaskOrchestratorWorkItem",
  "AbandonTaskEntityWorkItem",
] as const;

type UnaryMethod = (typeof UNARY)[number];

const pathOf = (method: string): string => `/TaskHubSidecarService/${method}`;
const bytes = (buffer: Buffer): Buffer => buffer;
const codec = {
  requestSerialize: bytes,
  requestDeserialize: bytes,
  responseSerialize: bytes,
  responseDeserialize: bytes,
};

/** A backend that does what a test tells it, on a Unix socket, or on a TCP port. It answers OK unless told otherwise. */
export class FakeSidecar {
  readonly streams = new Inbox<WorkItemStream>();
  readonly requests: Readonly<Record<UnaryMethod, Inbox<Buffer>>> = {
    Hello: new Inbox(),
    CompleteActivityTask: new Inbox(),
    CompleteOrchestratorTask: new Inbox(),
    AbandonTaskActivityWorkItem: new Inbox(),
    AbandonTaskOrchestratorWorkItem: new Inbox(),
    AbandonTaskEntityWorkItem: new Inbox(),
  };
  readonly answers: Partial<Record<UnaryMethod, Answer>> = {};
  readonly target: GrpcTarget;
  #server: Server | undefined;

  private constructor(readonly folder: string) {
    this.target = {
      address: `unix:${join(folder, "socket")}`,
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: {
        "grpc.use_local_subchannel_pool": 1,
        "grpc.initial_reconnect_backoff_ms": 20,
        "grpc.max_reconnect_backoff_ms": 20,
      },
      metadata: (role, workerId) => {
        const metadata = new Metadata();
        metadata.set("role", role);
        metadata.set("workerid", workerId ?? "");
        return Promise.resolve(metadata);
      },
    };
  }

  /** Its address is known, but nobody is there until `start`. */
  static async create(): Promise<FakeSidecar> {
    return new FakeSidecar(await mkdtemp(join(tmpdir(), "fanout-")));
  }

  /** Listens on its socket; returns the port where it was given a TCP address instead. */
  async start(address = this.target.address): Promise<number> {
    const server = new Server();
    server.addService(
      {
        GetWorkItems: { path: pathOf("GetWorkItems"), requestStream: false, responseStream: true, ...codec },
        ...Object.fromEntries(
          UNARY.map((method) => [
            method,
            { path: pathOf(method), requestStream: false, responseStream: false, ...codec },
          ]),
        ),
      },
      {
        GetWorkItems: (stream: WorkItemStream) => this.streams.put(stream),
        ...Object.fromEntries(UNARY.map((method) => [method, this.#unary(method)])),
      },
    );
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
    this.#server = server;
    return port;
  }

  /** Breaks every connection, as a killed process would. */
  kill(): void {
    this.#server?.forceShutdown();
    this.#server = undefined;
  }

  async close(): Promise<void> {
    this.kill();
    await rm(this.folder, { recursive: true });
  }

  #unary(method: UnaryMethod) {
    return ({ request }: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void => {
      const answer = this.answers[method] ?? ((_, send) => send());
      answer(request, (code = status.OK) => {
        callback(code === status.OK ? null : { code, details: "said the test" }, Buffer.alloc(0));
      });
      this.requests[method].put(request);
    };
  }
}

/** An encoded work item for an activity. */
export function activityItem(name: string, taskId: number, input?: unknown): Buffer {
  const request = new pb.ActivityRequest();
  request.setName(name);
  request.setTaskid(taskId);
  const instance = new pb.OrchestrationInstance();
  instance.setInstanceid("instance-1");
  request.setOrchestrationinstance(instance);
  if (input !== undefined) request.setInput(stringValue(JSON.stringify(input)));

  const item = new pb.WorkItem();
  item.setActivityrequest(request);
  item.setCompletiontoken(`token-${taskId}`);
  return Buffer.from(item.serializeBinary());
}

/** An encoded work item for an operation of an entity. */
export function entityItem(instanceId: string): Buffer {
  const request = new pb.EntityBatchRequest();
  request.setInstanceid(instanceId);
  const item = new pb.WorkItem();
  item.setEntityrequest(request);
  item.setCompletiontoken("token-entity");
  return Buffer.from(item.serializeBinary());
}

/** An encoded work item for the first episode of an orchestrator. */
export function orchestratorItem(name: string, input: unknown): Buffer {
  const started = new pb.ExecutionStartedEvent();
  started.setName(name);
  started.setInput(stringValue(JSON.stringify(input)));
  const instance = new pb.OrchestrationInstance();
  instance.setInstanceid("instance-1");
  started.setOrchestrationinstance(instance);
  const start = new pb.HistoryEvent();
  start.setOrchestratorstarted(new pb.OrchestratorStartedEvent());
  const event = new pb.HistoryEvent();
  event.setExecutionstarted(started);
  const request = new pb.OrchestratorRequest();
  request.setInstanceid("instance-1");
  request.setNeweventsList([start, event]);
  const item = new pb.WorkItem();
  item.setOrchestratorrequest(request);
  item.setCompletiontoken("token-orchestrator");
  return Buffer.from(item.serializeBinary());
}

function stringValue(text: string): InstanceType<typeof StringValue> {
  const value = new StringValue();
  value.setValue(text);
  return value;
}
