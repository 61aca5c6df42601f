import type {
  CompletedWindow,
  InstanceIdPage,
  InstancePage,
  InstanceQuery,
  InstanceState,
  OrchestrationClient,
} from "../../backend/orchestration-client.js";

/** The calls that notice ends, counted by name. They end when the signal aborts. */
export class NoticingCalls {
  readonly made: Record<string, number> = {};

  constructor(
    readonly client: OrchestrationClient,
    readonly signal: AbortSignal,
  ) {}

  untilEnded(instanceId: string): Promise<InstanceState | undefined> {
    this.#count("WaitForInstanceCompletion");
    return this.client.waitForCompletion(instanceId, { signal: this.signal });
  }

  /** Reads without payloads, except for a failed instance that does not say why. */
  async stateOf(instanceId: string): Promise<InstanceState | undefined> {
    this.#count("GetInstance");
    const state = await this.client.getInstance(instanceId, { signal: this.signal });
    return state && this.withReason(state);
  }

  async withReason(state: InstanceState): Promise<InstanceState> {
    if (state.status !== "Failed" || state.failure !== undefined) return state;
    this.#count("GetInstance");
    const { signal } = this;
    return (await this.client.getInstance(state.instanceId, { payloads: true, signal })) ?? state;
  }

  completedIn(window: CompletedWindow): Promise<InstanceIdPage> {
    this.#count("ListInstanceIds");
    return this.client.listInstanceIds(window, { signal: this.signal });
  }

  instancesOf(query: InstanceQuery): Promise<InstancePage> {
    this.#count("QueryInstances");
    return this.client.queryInstances(query, { signal: this.signal });
  }

  #count(name: string): void {
    this.made[name] = (this.made[name] ?? 0) + 1;
  }
}
