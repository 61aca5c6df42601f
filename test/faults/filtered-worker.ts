import { setTimeout } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { unaryCall } from "../../dist/backend/unary-call.js";
import { Executor, type RunnableWorkItem } from "../../dist/worker/executor.js";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { CHANNEL_OPTIONS, metadataOf } from "../support/emulator/raw-connection.js";
import type { Choice } from "./plan.js";
import { faultWorkload } from "./workload.js";

export interface FilteredWorkerOptions {
  readonly socket: string;
  readonly hub: string;
  /** The one thing that it does. */
  readonly kind: "episodes" | "activities";
  readonly choice: Choice;
  /** It was sent what it has not asked for. */
  readonly onViolation: (violation: string) => void;
}

const AGAIN_MS = 30;
const SERVICE = "/TaskHubSidecarService/";
const asIs = (bytes: Buffer): Buffer => bytes;

type Item = InstanceType<typeof pb.WorkItem>;

/** Takes some orchestrators or some activities, so many at a time, and asks for histories by itself. */
export class FilteredWorker {
  readonly #options: FilteredWorkerOptions;
  readonly #client: Client;
  readonly #names: ReadonlySet<string>;
  readonly #limit: number;
  readonly #executor = new Executor(faultWorkload);

  constructor(options: FilteredWorkerOptions) {
    const { socket, kind, choice } = options;
    this.#options = options;
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), CHANNEL_OPTIONS);
    const hosted = kind === "episodes" ? faultWorkload.orchestrators : faultWorkload.activities;
    this.#names = new Set(Object.keys(hosted).filter((_, place) => place % 3 !== choice.skips));
    this.#limit = choice.limits[kind];
  }

  async work(): Promise<never> {
    for (; ; await setTimeout(AGAIN_MS)) await this.#session();
  }

  /** From a stream's beginning to its end, which may be that of its connection: then nothing of it is held any more. */
  #session(): Promise<void> {
    const stream = this.#stream("GetWorkItems", this.#request());
    let holds = 0;
    stream.on("data", (bytes: Buffer) => {
      holds += 1;
      if (holds > this.#limit) this.#options.onViolation(`${holds} ${this.#options.kind}, not ${this.#limit}`);
      const item = pb.WorkItem.deserializeBinary(bytes);
      this.#checkName(item);
      void this.#run(item, () => {
        holds -= 1;
      });
    });
    return new Promise((resolve) => {
      stream.once("end", resolve).once("error", () => resolve());
    });
  }

  #request(): InstanceType<typeof pb.GetWorkItemsRequest> {
    const request = new pb.GetWorkItemsRequest();
    request.addCapabilities(pb.WorkerCapability.WORKER_CAPABILITY_HISTORY_STREAMING);
    const filters = new pb.WorkItemFilters();
    if (this.#options.kind === "episodes") {
      request.setMaxconcurrentorchestrationworkitems(this.#limit);
      for (const name of this.#names) filters.addOrchestrations().setName(name);
    } else {
      request.setMaxconcurrentactivityworkitems(this.#limit);
      for (const name of this.#names) filters.addActivities().setName(name);
    }
    request.setWorkitemfilters(filters);
    return request;
  }

  #checkName(item: Item): void {
    const activity = item.getActivityrequest();
    const isMine = (activity !== undefined) === (this.#options.kind === "activities");
    if (!isMine || (activity !== undefined && !this.#names.has(activity.getName()))) {
      this.#options.onViolation(
        `${activity?.getName() ?? "an episode"}, for one that takes ${[...this.#names].join()}`,
      );
    }
  }

  /** What cannot be completed goes to somebody: it is given back, or its connection has gone. */
  async #run(item: Item, onDone: () => void): Promise<void> {
    const kind = item.hasActivityrequest() ? "Activity" : "Orchestrator";
    let method = `Complete${kind}Task`;
    let completion: Uint8Array;
    try {
      completion = await this.#execute(item);
    } catch {
      method = `AbandonTask${kind}WorkItem`;
      const request = new pb.AbandonActivityTaskRequest();
      request.setCompletiontoken(item.getCompletiontoken());
      completion = request.serializeBinary();
    }
    onDone();
    await unaryCall(this.#client, SERVICE + method, completion, metadataOf(this.#options.hub)).catch(() => {});
  }

  async #completionOf(item: RunnableWorkItem): Promise<Uint8Array> {
    const execution = await this.#executor.execute(item);
    if (execution.kind === "stray") throw new Error(`Expected work that is hosted, got ${execution.item.name}`);
    return execution.message;
  }

  async #execute(item: Item): Promise<Uint8Array> {
    const completionToken = item.getCompletiontoken();
    const activity = item.getActivityrequest();
    if (activity !== undefined)
      return this.#completionOf({ kind: "activity", request: activity.serializeBinary(), completionToken });

    const request = item.getOrchestratorrequest()!;
    if (request.getRequireshistorystreaming()) request.setPasteventsList(await this.#history(request));

    const past = request.getPasteventsList().concat(request.getNeweventsList());
    const name =
      past
        .find((event) => event.hasExecutionstarted())
        ?.getExecutionstarted()
        ?.getName() ?? "";
    if (!this.#names.has(name)) this.#options.onViolation(`the orchestrator ${name}`);
    return this.#completionOf({
      kind: "orchestrator",
      request: request.serializeBinary(),
      completionToken,
      knownHistory: 0,
    });
  }

  async #history(
    request: InstanceType<typeof pb.OrchestratorRequest>,
  ): Promise<InstanceType<typeof pb.HistoryEvent>[]> {
    const wanted = new pb.StreamInstanceHistoryRequest();
    wanted.setInstanceid(request.getInstanceid());
    wanted.setExecutionid(request.getExecutionid());
    wanted.setForworkitemprocessing(true);
    const events: InstanceType<typeof pb.HistoryEvent>[] = [];
    for await (const chunk of this.#stream("StreamInstanceHistory", wanted))
      events.push(...pb.HistoryChunk.deserializeBinary(chunk as Buffer).getEventsList());

    // It has ended meanwhile, or was replaced.
    if (events.length === 0) throw new Error("There is no such history.");
    return events;
  }

  #stream(method: string, request: { serializeBinary(): Uint8Array }) {
    const bytes = Buffer.from(request.serializeBinary());
    return this.#client.makeServerStreamRequest(SERVICE + method, asIs, asIs, bytes, metadataOf(this.#options.hub));
  }
}
