import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import { Client, Metadata, credentials, type ChannelOptions, type ClientReadableStream } from "@grpc/grpc-js";
import { unaryCall } from "../../../src/backend/unary-call.js";
import { StringValue, pb } from "../../../src/protocol/sidecar-stubs.js";

/** Each connection is one of its own, and is tried again at once: the socket is there or it is not. */
export const CHANNEL_OPTIONS = { "grpc.use_local_subchannel_pool": 1, "grpc.initial_reconnect_backoff_ms": 50 };

const asIs = (bytes: Buffer): Buffer => bytes;

interface Request {
  serializeBinary(): Uint8Array;
}

export type WorkItem = ReturnType<InstanceType<typeof pb.WorkItem>["toObject"]>;
type HistoryEvent = ReturnType<InstanceType<typeof pb.HistoryEvent>["toObject"]>;
type Action = InstanceType<typeof pb.OrchestratorAction>;

/** One connection, by the SDK's messages alone: it does what a test says, also what no good client does. */
export class RawConnection {
  readonly #client: Client;
  readonly #taskHub: string;

  constructor(address: string, taskHub: string, options: ChannelOptions = {}) {
    this.#client = new Client(address, credentials.createInsecure(), { ...CHANNEL_OPTIONS, ...options });
    this.#taskHub = taskHub;
  }

  close(): void {
    this.#client.close();
  }

  /** Makes a call; rejects with its ServiceError, and so when the signal cancels it. */
  async call<T>(
    method: string,
    request: Request | Buffer,
    response: { deserializeBinary(bytes: Uint8Array): T },
    signal?: AbortSignal,
  ): Promise<T> {
    const bytes = Buffer.isBuffer(request) ? request : request.serializeBinary();
    const answer = await unaryCall(this.#client, pathOf(method), bytes, metadataOf(this.#taskHub), { signal });
    return response.deserializeBinary(answer);
  }

  async start(
    instanceId: string,
    name = "Orchestrator",
    set: (request: CreateInstanceRequest) => void = () => {},
  ): Promise<void> {
    const request = new pb.CreateInstanceRequest();
    request.setInstanceid(instanceId);
    request.setName(name);
    set(request);
    await this.call("StartInstance", request, pb.CreateInstanceResponse);
  }

  async state(
    instanceId: string,
  ): Promise<ReturnType<InstanceType<typeof pb.OrchestrationState>["toObject"]> | undefined> {
    const request = new pb.GetInstanceRequest();
    request.setInstanceid(instanceId);
    request.setGetinputsandoutputs(true);
    return (await this.call("GetInstance", request, pb.GetInstanceResponse)).toObject().orchestrationstate;
  }

  async history(instanceId: string, set: (request: HistoryRequest) => void = () => {}): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    for await (const chunk of this.historyStream(instanceId, set))
      events.push(...pb.HistoryChunk.deserializeBinary(chunk as Buffer).toObject().eventsList);

    return events;
  }

  /** The messages of a history stream, as they come. */
  historyStream(instanceId: string, set: (request: HistoryRequest) => void = () => {}): ClientReadableStream<Buffer> {
    const request = new pb.StreamInstanceHistoryRequest();
    request.setInstanceid(instanceId);
    set(request);
    return this.#stream("StreamInstanceHistory", request, metadataOf(this.#taskHub));
  }

  /** Opens a stream of work items; resolves once the emulator has taken it in. */
  async worker(workerId = "worker", set: (request: WorkItemsRequest) => void = () => {}): Promise<RawWorker> {
    const request = new pb.GetWorkItemsRequest();
    set(request);
    const stream = this.#stream("GetWorkItems", request, metadataOf(this.#taskHub, workerId));
    const worker = new RawWorker(stream);
    await new Promise((resolve, reject) => {
      stream.once("metadata", resolve).once("error", reject);
    });
    return worker;
  }

  async completeActivity({ activityrequest, completiontoken }: WorkItem, result: unknown): Promise<void> {
    const response = new pb.ActivityResponse();
    response.setInstanceid(activityrequest?.orchestrationinstance?.instanceid ?? "");
    response.setTaskid(activityrequest?.taskid ?? 0);
    response.setCompletiontoken(completiontoken);
    response.setResult(stringValue(JSON.stringify(result)));
    await this.call("CompleteActivityTask", response, pb.CompleteTaskResponse);
  }

  async completeEpisode(
    { orchestratorrequest, completiontoken }: WorkItem,
    actions: readonly Action[],
    set: (response: OrchestratorResponse) => void = () => {},
  ): Promise<void> {
    const response = new pb.OrchestratorResponse();
    response.setInstanceid(orchestratorrequest?.instanceid ?? "");
    response.setCompletiontoken(completiontoken);
    response.setActionsList([...actions]);
    set(response);
    await this.call("CompleteOrchestratorTask", response, pb.CompleteTaskResponse);
  }

  async abandon({ orchestratorrequest, completiontoken }: WorkItem): Promise<void> {
    if (orchestratorrequest === undefined) {
      const request = new pb.AbandonActivityTaskRequest();
      request.setCompletiontoken(completiontoken);
      await this.call("AbandonTaskActivityWorkItem", request, pb.AbandonActivityTaskResponse);
    } else {
      const request = new pb.AbandonOrchestrationTaskRequest();
      request.setCompletiontoken(completiontoken);
      await this.call("AbandonTaskOrchestratorWorkItem", request, pb.AbandonOrchestrationTaskResponse);
    }
  }

  #stream(method: string, request: Request, metadata: Metadata): WorkItems {
    return this.#client.makeServerStreamRequest(
      pathOf(method),
      asIs,
      asIs,
      Buffer.from(request.serializeBinary()),
      metadata,
    );
  }
}

type CreateInstanceRequest = InstanceType<typeof pb.CreateInstanceRequest>;
type HistoryRequest = InstanceType<typeof pb.StreamInstanceHistoryRequest>;
type OrchestratorResponse = InstanceType<typeof pb.OrchestratorResponse>;
type WorkItemsRequest = InstanceType<typeof pb.GetWorkItemsRequest>;
type WorkItems = ClientReadableStream<Buffer>;

/** The work items of one GetWorkItems stream, one by one. */
export class RawWorker {
  readonly #stream: WorkItems;
  readonly #items: WorkItem[] = [];
  #ended: "no" | "by the server" | "with an error" = "no";
  #wake: () => void = () => {};

  constructor(stream: WorkItems) {
    this.#stream = stream;
    stream.on("data", (item: Buffer) => {
      this.#items.push(pb.WorkItem.deserializeBinary(item).toObject());
      this.#wake();
    });
    stream.on("end", () => {
      this.#ended = this.#ended === "no" ? "by the server" : this.#ended;
      this.#wake();
    });
    stream.on("error", () => {
      this.#ended = "with an error";
      this.#wake();
    });
  }

  /** Items that have come and that nobody has taken yet. */
  get arrived(): number {
    return this.#items.length;
  }

  /** The next item; undefined once the stream has been ended by the server. Rejects when it was broken. */
  async next(): Promise<WorkItem | undefined> {
    while (this.#items.length === 0) {
      if (this.#ended !== "no") {
        if (this.#ended === "with an error") throw new Error("The stream of work items broke.");

        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#items.shift();
  }

  /** The next item, which has to be there. */
  async item(): Promise<WorkItem> {
    const item = await this.next();
    if (item === undefined) throw new Error("Expected another work item, found the end of the stream.");

    return item;
  }

  cancel(): void {
    this.#stream.cancel();
  }
}

export function scheduleTask(id: number, name = "Activity", input: unknown = id): Action {
  const task = new pb.ScheduleTaskAction();
  task.setName(name);
  task.setInput(stringValue(JSON.stringify(input)));
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setScheduletask(task);
  return action;
}

export function continueAsNew(id: number, input: unknown): Action {
  const action = complete(id, input);
  action
    .getCompleteorchestration()!
    .setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_CONTINUED_AS_NEW);
  return action;
}

export function createTimer(id: number, fireAtMs: number): Action {
  const timer = new pb.CreateTimerAction();
  timer.setFireat(timestampOf(fireAtMs));
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setCreatetimer(timer);
  return action;
}

export function timestampOf(ms: number): InstanceType<typeof timestamps.Timestamp> {
  const timestamp = new timestamps.Timestamp();
  timestamp.fromDate(new Date(ms));
  return timestamp;
}

export function complete(id: number, result: unknown): Action {
  const end = new pb.CompleteOrchestrationAction();
  end.setOrchestrationstatus(pb.OrchestrationStatus.ORCHESTRATION_STATUS_COMPLETED);
  end.setResult(stringValue(JSON.stringify(result)));
  const action = new pb.OrchestratorAction();
  action.setId(id);
  action.setCompleteorchestration(end);
  return action;
}

export function stringValue(text: string): InstanceType<typeof StringValue> {
  const value = new StringValue();
  value.setValue(text);
  return value;
}

export function metadataOf(taskHub: string, workerId?: string): Metadata {
  const metadata = new Metadata();
  metadata.set("taskhub", taskHub);
  if (workerId !== undefined) metadata.set("workerid", workerId);

  return metadata;
}

function pathOf(method: string): string {
  return `/TaskHubSidecarService/${method}`;
}
