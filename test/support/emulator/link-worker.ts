import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { readWorkItem } from "../../../src/protocol/read-work-item.js";
import { LinkChannel } from "../../../src/worker/link-channel.js";
import { EMPTY_BYTES } from "../../../src/protocol/empty-bytes.js";
import { type WorkItemStream } from "../../../src/worker/worker-channel.js";
import type { WorkItem } from "./raw-connection.js";

const DEADLINE_MS = 30_000;

/** A worker on a link, spoken for call by call. */
export class LinkWorker {
  readonly channel: LinkChannel;
  readonly items: Buffer[] = [];
  /** What came of the stream, once it is over: the error's details, or "ended". */
  over: string | undefined;
  #stream: WorkItemStream | undefined;
  #wake: () => void = () => {};

  constructor(path: string, taskHub: string, workerId = "link-worker") {
    this.channel = new LinkChannel({ address: `unix:${path}` }, { taskHub, workerId });
  }

  /** Resolves once the emulator has taken the stream on, or refused it. */
  async take(): Promise<void> {
    await new Promise<void>((resolve) => {
      void this.channel
        .takeWorkItems(EMPTY_BYTES, {
          onOpen: resolve,
          onItem: (item) => {
            this.items.push(Buffer.from(item));
            this.#wake();
          },
          onEnd: (error) => {
            this.over = error === undefined ? "ended" : error.message;
            this.#wake();
            resolve();
          },
        })
        .then((stream) => (this.#stream = stream));
    });
  }

  cancel(): void {
    this.#stream?.cancel();
  }

  /** The next item, and how many bytes of its history were left out. */
  async next(): Promise<WorkItem & { readonly knownHistory: number }> {
    await this.until(() => this.items.length > 0);
    const bytes = this.items.shift()!;
    const item = readWorkItem(bytes);
    const knownHistory = item.kind === "orchestrator" ? item.knownHistory : 0;
    return { ...pb.WorkItem.deserializeBinary(bytes).toObject(), knownHistory };
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  hello(): Promise<void> {
    return this.channel.call("Hello", EMPTY_BYTES, DEADLINE_MS);
  }

  completeEpisode(
    { orchestratorrequest, completiontoken }: WorkItem,
    actions: readonly InstanceType<typeof pb.OrchestratorAction>[],
    requiresHistory = false,
  ): Promise<void> {
    const response = new pb.OrchestratorResponse();
    response.setInstanceid(orchestratorrequest?.instanceid ?? "");
    response.setCompletiontoken(completiontoken);
    response.setActionsList([...actions]);
    response.setRequireshistory(requiresHistory);
    return this.channel.call("CompleteOrchestratorTask", Buffer.from(response.serializeBinary()), DEADLINE_MS);
  }

  completeActivity({ activityrequest, completiontoken }: WorkItem): Promise<void> {
    const response = new pb.ActivityResponse();
    response.setInstanceid(activityrequest?.orchestrationinstance?.instanceid ?? "");
    response.setTaskid(activityrequest?.taskid ?? 0);
    response.setCompletiontoken(completiontoken);
    return this.channel.call("CompleteActivityTask", Buffer.from(response.serializeBinary()), DEADLINE_MS);
  }

  abandonEpisode({ completiontoken }: WorkItem): Promise<void> {
    const request = new pb.AbandonOrchestrationTaskRequest();
    request.setCompletiontoken(completiontoken);
    return this.channel.call("AbandonTaskOrchestratorWorkItem", Buffer.from(request.serializeBinary()), DEADLINE_MS);
  }
}
