import { status } from "@grpc/grpc-js";
import { StringValue, Timestamp, pb } from "../wire/sidecar-stubs.js";
import type { GrpcTarget } from "./backend.js";
import { isServiceError, withRetry, type RetryPolicy } from "./call-retry.js";
import { ClientPool } from "./client-pool.js";
import type {
  CallOptions,
  InstancePage,
  InstanceQuery,
  InstanceState,
  OrchestrationClient,
  RuntimeStatus,
} from "./orchestration-client.js";
import { unaryCall } from "./unary-call.js";

/** Milliseconds that a call may take which does not wait for an orchestration. */
const DEADLINE_MS = 30_000;

const Status = pb.OrchestrationStatus;

const STATUSES = {
  Running: Status.ORCHESTRATION_STATUS_RUNNING,
  Completed: Status.ORCHESTRATION_STATUS_COMPLETED,
  ContinuedAsNew: Status.ORCHESTRATION_STATUS_CONTINUED_AS_NEW,
  Failed: Status.ORCHESTRATION_STATUS_FAILED,
  Canceled: Status.ORCHESTRATION_STATUS_CANCELED,
  Terminated: Status.ORCHESTRATION_STATUS_TERMINATED,
  Pending: Status.ORCHESTRATION_STATUS_PENDING,
  Suspended: Status.ORCHESTRATION_STATUS_SUSPENDED,
} as const satisfies Record<RuntimeStatus, number>;

const STATUS_NAMES = new Map<number, RuntimeStatus>(
  Object.entries(STATUSES).map(([name, number]) => [number, name as RuntimeStatus]),
);

interface Message {
  serializeBinary(): Uint8Array;
}

/** The client's side of TaskHubSidecarService. */
export class SidecarClient implements OrchestrationClient {
  readonly rpcErrors: Record<string, number> = {};
  readonly #target: GrpcTarget;
  readonly #policy: RetryPolicy;
  readonly #pool: ClientPool;

  constructor(target: GrpcTarget, policy: RetryPolicy) {
    this.#target = target;
    this.#policy = policy;
    this.#pool = new ClientPool(target);
  }

  async startInstance(
    start: { readonly instanceId: string; readonly name: string; readonly input: unknown },
    { signal }: CallOptions = {},
  ): Promise<void> {
    const request = new pb.CreateInstanceRequest();
    request.setInstanceid(start.instanceId);
    request.setName(start.name);
    if (start.input !== undefined) {
      request.setInput(stringValue(JSON.stringify(start.input)));
    }
    await this.#retry(signal, async (first) => {
      try {
        await this.#attempt("StartInstance", request, signal, DEADLINE_MS);
      } catch (error) {
        // The ids of a run are its own: a second attempt that finds one taken has found its own first.
        if (first || !isServiceError(error) || error.code !== status.ALREADY_EXISTS) {
          throw error;
        }
      }
    });
  }

  async getInstance(
    instanceId: string,
    { signal, payloads = false }: CallOptions & { readonly payloads?: boolean } = {},
  ): Promise<InstanceState | undefined> {
    const response = await this.#call("GetInstance", getInstance(instanceId, payloads), signal, DEADLINE_MS);
    return instanceOf(pb.GetInstanceResponse.deserializeBinary(response));
  }

  async waitForCompletion(instanceId: string, { signal }: CallOptions = {}): Promise<InstanceState | undefined> {
    const response = await this.#call("WaitForInstanceCompletion", getInstance(instanceId, true), signal);
    return instanceOf(pb.GetInstanceResponse.deserializeBinary(response));
  }

  async queryInstances(query: InstanceQuery, { signal }: CallOptions = {}): Promise<InstancePage> {
    const filter = new pb.InstanceQuery();
    filter.setRuntimestatusList(query.statuses?.map((name) => STATUSES[name]) ?? []);
    filter.setMaxinstancecount(query.pageSize ?? 100);
    filter.setFetchinputsandoutputs(query.payloads ?? false);
    if (query.instanceIdPrefix !== undefined) {
      filter.setInstanceidprefix(stringValue(query.instanceIdPrefix));
    }
    filter.setCreatedtimefrom(timestampOf(query.createdFromMs));
    filter.setCreatedtimeto(timestampOf(query.createdToMs));
    if (query.continuationToken !== undefined) {
      filter.setContinuationtoken(stringValue(query.continuationToken));
    }
    const request = new pb.QueryInstancesRequest();
    request.setQuery(filter);
    const bytes = await this.#call("QueryInstances", request, signal, DEADLINE_MS);
    const response = pb.QueryInstancesResponse.deserializeBinary(bytes);
    return {
      instances: response.getOrchestrationstateList().map(stateOf),
      // Some backends send an empty token behind the last page.
      continuationToken: response.getContinuationtoken()?.getValue() || undefined,
    };
  }

  async terminate(instanceId: string, reason: string, { signal }: CallOptions = {}): Promise<void> {
    const request = new pb.TerminateRequest();
    request.setInstanceid(instanceId);
    request.setOutput(stringValue(JSON.stringify(reason)));
    await this.#call("TerminateInstance", request, signal, DEADLINE_MS);
  }

  async purge(instanceId: string, { signal }: CallOptions = {}): Promise<boolean> {
    const request = new pb.PurgeInstancesRequest();
    request.setInstanceid(instanceId);
    return (await this.#purge(request, signal)) > 0;
  }

  purgeBatch(instanceIds: readonly string[], { signal }: CallOptions = {}): Promise<number> {
    const batch = new pb.InstanceBatch();
    batch.setInstanceidsList([...instanceIds]);
    const request = new pb.PurgeInstancesRequest();
    request.setInstancebatch(batch);
    return this.#purge(request, signal);
  }

  close(): void {
    this.#pool.close();
  }

  async #purge(request: InstanceType<typeof pb.PurgeInstancesRequest>, signal?: AbortSignal): Promise<number> {
    const response = await this.#call("PurgeInstances", request, signal, DEADLINE_MS);
    return pb.PurgeInstancesResponse.deserializeBinary(response).getDeletedinstancecount();
  }

  #call(method: string, request: Message, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    return this.#retry(signal, () => this.#attempt(method, request, signal, deadlineMs));
  }

  #retry<T>(signal: AbortSignal | undefined, attempt: (first: boolean) => Promise<T>): Promise<T> {
    return withRetry(attempt, {
      ...this.#policy,
      signal,
      onFailure: ({ code }) => {
        const name = status[code] ?? `code ${code}`;
        this.rpcErrors[name] = (this.rpcErrors[name] ?? 0) + 1;
      },
    });
  }

  async #attempt(method: string, request: Message, signal?: AbortSignal, deadlineMs?: number): Promise<Buffer> {
    const metadata = await this.#target.metadata("client");
    const deadline = deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs };
    return this.#pool.use((client) =>
      unaryCall(client, `/TaskHubSidecarService/${method}`, request.serializeBinary(), metadata, {
        signal,
        ...deadline,
      }),
    );
  }
}

function getInstance(instanceId: string, payloads: boolean): InstanceType<typeof pb.GetInstanceRequest> {
  const request = new pb.GetInstanceRequest();
  request.setInstanceid(instanceId);
  request.setGetinputsandoutputs(payloads);
  return request;
}

function stringValue(text: string): InstanceType<typeof StringValue> {
  const value = new StringValue();
  value.setValue(text);
  return value;
}

function timestampOf(ms: number | undefined): InstanceType<typeof Timestamp> | undefined {
  if (ms === undefined) return undefined;
  const timestamp = new Timestamp();
  timestamp.setSeconds(Math.floor(ms / 1000));
  timestamp.setNanos(Math.floor((ms - Math.floor(ms / 1000) * 1000) * 1000) * 1000);
  return timestamp;
}

type State = InstanceType<typeof pb.OrchestrationState>;

function instanceOf(response: InstanceType<typeof pb.GetInstanceResponse>): InstanceState | undefined {
  const state = response.getOrchestrationstate();
  return response.getExists() && state !== undefined ? stateOf(state) : undefined;
}

function stateOf(state: State): InstanceState {
  const failure = state.getFailuredetails();
  return {
    instanceId: state.getInstanceid(),
    name: state.getName(),
    status: STATUS_NAMES.get(state.getOrchestrationstatus()) ?? "Running",
    createdMs: msOf(state.getCreatedtimestamp()) ?? 0,
    lastUpdatedMs: msOf(state.getLastupdatedtimestamp()) ?? 0,
    completedMs: msOf(state.getCompletedtimestamp()),
    input: state.getInput()?.getValue(),
    output: state.getOutput()?.getValue(),
    customStatus: state.getCustomstatus()?.getValue(),
    failure: failure && { type: failure.getErrortype(), message: failure.getErrormessage() },
  };
}

function msOf(timestamp: InstanceType<typeof Timestamp> | undefined): number | undefined {
  return timestamp && timestamp.getSeconds() * 1000 + timestamp.getNanos() / 1e6;
}
