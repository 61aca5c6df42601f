import { status } from "@grpc/grpc-js";
import type { InstanceState, OrchestrationClient } from "../../../src/backend/orchestration-client.js";
import type { Clock } from "../../../src/async/clock.js";
import { completedState, fakeClient, untilAborted } from "./fake-backend.js";

/** An error as a call fails with it. */
export function rpcError(code: status): Error {
  return Object.assign(new Error(status[code]), { code, details: status[code] });
}

/**
 * Instances on a backend whose clock is that of the test plus `aheadMs`. Its calls answer at once, waiting calls never
 * do. `before` each call may throw what the call is to fail with, or take its time.
 */
export class FakeHub {
  aheadMs = 0;
  readonly calls: { readonly name: string; readonly instanceId?: string; readonly atMs: number }[] = [];
  readonly #instances = new Map<string, InstanceState>();

  constructor(
    readonly clock: Clock,
    readonly before: (name: string, instanceId?: string) => void | Promise<void> = () => {},
  ) {}

  start(instanceId: string): void {
    const createdMs = this.#nowMs;
    const ended = { ...completedState(instanceId, 50), withoutPayloads: true as const };
    this.#instances.set(instanceId, {
      ...ended,
      status: "Running",
      createdMs,
      lastUpdatedMs: createdMs,
      completedMs: undefined,
    });
  }

  end(instanceId: string): void {
    const times = { lastUpdatedMs: this.#nowMs, completedMs: this.#nowMs };
    this.#instances.set(instanceId, { ...this.#instances.get(instanceId)!, status: "Completed", ...times });
  }

  client(): OrchestrationClient {
    return fakeClient({
      waitForCompletion: (_, { signal } = {}) => untilAborted(signal),
      getInstance: async (instanceId) => {
        await this.#called("GetInstance", instanceId);
        return this.#instances.get(instanceId);
      },
      listInstanceIds: async ({ completedFromMs = 0 }) => {
        await this.#called("ListInstanceIds");
        const ended = this.#ended().filter(({ completedMs }) => completedMs! >= completedFromMs);
        return { instanceIds: ended.map(({ instanceId }) => instanceId), lastInstanceKey: undefined };
      },
      queryInstances: async ({ instanceIdPrefix = "", statuses = [] }) => {
        await this.#called("QueryInstances");
        const instances = [...this.#instances.values()].filter(
          ({ instanceId, status }) => instanceId.startsWith(instanceIdPrefix) && statuses.includes(status),
        );
        return { instances, continuationToken: undefined };
      },
    });
  }

  callsOf(name: string): readonly number[] {
    return this.calls.filter((call) => call.name === name).map(({ atMs }) => atMs);
  }

  get #nowMs(): number {
    return this.clock() + this.aheadMs;
  }

  #ended(): readonly InstanceState[] {
    return [...this.#instances.values()].filter(({ completedMs }) => completedMs !== undefined);
  }

  async #called(name: string, instanceId?: string): Promise<void> {
    this.calls.push({ name, ...(instanceId !== undefined && { instanceId }), atMs: this.clock() });
    await this.before(name, instanceId);
  }
}
