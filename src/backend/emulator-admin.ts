import { status } from "@grpc/grpc-js";
import { ADMIN_SERVICE, type EmulatorStatus, type HubProgress, type HubWatch } from "../protocol/admin.js";
import type { GrpcTarget } from "./grpc-target.js";
import { isServiceError, withRetry, type RetryPolicy } from "./call-retry.js";
import type { CallOptions } from "./orchestration-client.js";
import { tokenMetadata } from "./emulator-door.js";
import { FollowingClient } from "./following-client.js";
import { asIs, unaryCall } from "./unary-call.js";

const DEADLINE_MS = 10_000;
const WATCH = `/${ADMIN_SERVICE}/Watch`;

/** The client of the emulator's own admin service. */
export interface EmulatorAdmin {
  status(options?: CallOptions): Promise<EmulatorStatus>;
  /**
   * Follows a hub and the instances whose ids start with `instanceIdPrefix`. Yields a value at once, then at most one
   * every 100 ms while it changes. Survives a restart of the emulator. Ends when the signal aborts.
   */
  watch(watch: HubWatch, options: { readonly signal: AbortSignal }): AsyncIterable<HubProgress>;
  /**
   * Asks the emulator to send no more work to a worker, and to end its GetWorkItems stream after everything sent was
   * delivered. Nothing has to be delivered again.
   * Rejects with NOT_FOUND if the hub has no such worker.
   */
  drainWorker(workerId: string, options?: CallOptions): Promise<void>;
}

export class EmulatorAdminClient implements EmulatorAdmin {
  readonly #target: GrpcTarget;
  readonly #client: FollowingClient;
  readonly #taskHub: string;
  readonly #policy: RetryPolicy;

  constructor(target: GrpcTarget, taskHub: string, policy: RetryPolicy) {
    this.#target = target;
    this.#client = new FollowingClient(target);
    this.#taskHub = taskHub;
    this.#policy = policy;
  }

  async status({ signal }: CallOptions = {}): Promise<EmulatorStatus> {
    return (await this.#call("Status", {}, signal)) as EmulatorStatus;
  }

  async drainWorker(workerId: string, { signal }: CallOptions = {}): Promise<void> {
    await this.#call("DrainWorker", { taskHub: this.#taskHub, workerId }, signal);
  }

  async *watch(watch: HubWatch, { signal }: { readonly signal: AbortSignal }): AsyncIterable<HubProgress> {
    while (!signal.aborted) {
      const request = Buffer.from(JSON.stringify(watch));
      const metadata = tokenMetadata(this.#target.token);
      const stream = this.#client.now.makeServerStreamRequest(WATCH, asIs, asIs, request, metadata);
      const cancel = (): void => {
        stream.cancel();
      };
      signal.addEventListener("abort", cancel);
      try {
        for await (const message of stream) yield JSON.parse(String(message)) as HubProgress;
      } catch (error) {
        if (!signal.aborted && !(isServiceError(error) && TRANSIENT.has(error.code))) throw error;
      } finally {
        signal.removeEventListener("abort", cancel);
        cancel();
      }
      if (!signal.aborted) await this.#policy.recover();
    }
  }

  close(): void {
    this.#client.close();
  }

  async #call(method: string, request: object, signal?: AbortSignal): Promise<unknown> {
    const bytes = Buffer.from(JSON.stringify(request));
    const path = `/${ADMIN_SERVICE}/${method}`;
    const response = await withRetry(
      () => {
        const metadata = tokenMetadata(this.#target.token);
        return unaryCall(this.#client.now, path, bytes, metadata, { signal, deadline: Date.now() + DEADLINE_MS });
      },
      { ...this.#policy, signal, onFailure: () => {} },
    );
    return JSON.parse(response.toString());
  }
}

/** How a stream ends when the emulator stops. */
const TRANSIENT: ReadonlySet<number> = new Set([
  status.UNAVAILABLE,
  status.CANCELLED,
  status.INTERNAL,
  // The next emulator has another token.
  status.UNAUTHENTICATED,
]);
