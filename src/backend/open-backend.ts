import { Metadata, credentials, status } from "@grpc/grpc-js";
import { openStateFolder } from "../protocol/state-folder.js";
import { SDK_VERSION } from "../version.js";
import type { Backend } from "./backend.js";
import type { GrpcTarget } from "./grpc-target.js";
import type { TokenCredential } from "@azure/identity";
import type { Authentication, CredentialAuthentication } from "./authentication.js";
import { isUnavailable, pause, type RetryPolicy } from "./call-retry.js";
import { channelOptions } from "./channel-options.js";
import type { Connection, EmulatorConnection, EndpointConnection } from "./connection-string.js";
import { azureCredential, fetchToken } from "./credential.js";
import { credentialFailure } from "./credential-failure.js";
import { EmulatorDoor, tokenMetadata } from "./emulator-door.js";
import { EmulatorAdminClient } from "./emulator-admin.js";
import { endpointTarget } from "./endpoint-target.js";
import { ensureEmulator } from "./emulator-launcher.js";
import { explain } from "./explain.js";
import { SidecarClient } from "./sidecar-client.js";
import { TokenSource, type Token } from "./token-source.js";
import { chooseTransport, type Transport } from "./transport.js";

/** Attempts of one call in a row that find the backend away. */
const SCHEDULER_ATTEMPTS = 10;
/** Each attempt restarts the emulator. Only an emulator that dies at once, again and again, uses all of them. */
const EMULATOR_ATTEMPTS = 100;

export interface OpenOptions {
  /** Called with a line when the emulator was started or restarted. */
  readonly onNotice?: (line: string) => void;
  /** Replaces `@azure/identity`. */
  readonly credentialFor?: (authentication: CredentialAuthentication) => Promise<TokenCredential>;
  /** Replaces the fastest transport that the backend supports. */
  readonly transport?: Transport | undefined;
}

/**
 * Opens a backend. The embedded emulator runs when this resolves. For another backend, only the first call tells
 * whether it can be reached and whether its credential works.
 * Rejects with a FanoutError if the emulator does not start, or if the backend does not support the transport.
 */
export async function openBackend(
  connection: Connection,
  { onNotice = () => {}, credentialFor = azureCredential, transport: asked }: OpenOptions = {},
): Promise<Backend> {
  const transport = chooseTransport(connection, asked);
  return connection.kind === "emulator"
    ? openEmulator(connection, transport, onNotice)
    : openEndpoint(connection, transport, tokenSource(connection.authentication, credentialFor), onNotice);
}

async function openEmulator(
  connection: EmulatorConnection,
  transport: Transport,
  onNotice: (line: string) => void,
): Promise<Backend> {
  const state = openStateFolder();
  const started = await ensureEmulator(state);
  const door = new EmulatorDoor(state);
  const restart = async (): Promise<void> => {
    if (await ensureEmulator(state)) onNotice("the embedded emulator was gone; started it again");
    door.refresh();
  };
  let recovering: Promise<void> | undefined;
  const recover = async (): Promise<void> => {
    recovering ??= restart().finally(() => {
      recovering = undefined;
    });
    await recovering;
    await pause();
  };
  const metadata = callMetadata(connection.taskHub);
  const target: GrpcTarget = {
    get address() {
      return door.address;
    },
    get token() {
      return door.token;
    },
    isSecure: false,
    credentials: credentials.createInsecure(),
    options: channelOptions("emulator"),
    transport,
    metadata: async (role, workerId) => tokenMetadata(door.token, await metadata(role, workerId)),
  };
  const policy: RetryPolicy = {
    ...retryPolicy(connection, EMULATOR_ATTEMPTS, recover),
    // The next emulator has another token.
    isAway: (error) => isUnavailable(error) || (door.token !== undefined && error.code === status.UNAUTHENTICATED),
  };
  const client = new SidecarClient(target, policy);
  const admin = new EmulatorAdminClient(target, connection.taskHub, policy);
  if (started) {
    const place = (await admin.status()).durability === "ephemeral" ? "memory" : state.folder;
    onNotice(`started the embedded emulator; its state is in ${place}`);
  }
  return {
    kind: "emulator",
    connection,
    displayName: "the embedded emulator",
    target,
    client,
    admin,
    recover,
    close: () => {
      client.close();
      admin.close();
    },
  };
}

function openEndpoint(
  connection: EndpointConnection,
  transport: Transport,
  tokens: TokenSource | undefined,
  onNotice: (line: string) => void,
): Backend {
  const { url, taskHub, proxy } = connection;
  if (proxy !== undefined) onNotice(`through the proxy of ${proxy.source}, ${proxy.place}`);
  const target: GrpcTarget = {
    ...endpointTarget(connection),
    transport,
    metadata: callMetadata(taskHub, tokens),
  };
  const client = new SidecarClient(target, retryPolicy(connection, SCHEDULER_ATTEMPTS, pause));
  return {
    kind: "scheduler",
    connection,
    displayName: url.origin,
    target,
    client,
    admin: undefined,
    recover: pause,
    close: () => {
      client.close();
    },
  };
}

function retryPolicy(connection: Connection, maxAttempts: number, recover: () => Promise<void>): RetryPolicy {
  return { maxAttempts, recover, explain: (error, attempts) => explain(error, connection, attempts) };
}

/** Undefined without a credential. The first call creates the credential, and later calls use it again. */
function tokenSource(
  authentication: Authentication,
  credentialFor: NonNullable<OpenOptions["credentialFor"]>,
): TokenSource | undefined {
  if (authentication.kind === "None") return undefined;

  let credential: TokenCredential | undefined;
  const fetch = async (): Promise<Token> => {
    try {
      credential ??= await credentialFor(authentication);
      return await fetchToken(credential, authentication.kind);
    } catch (error) {
      throw credentialFailure(error, authentication);
    }
  };
  return new TokenSource(fetch, Date.now);
}

function callMetadata(taskHub: string, tokens?: TokenSource): GrpcTarget["metadata"] {
  return async (role, workerId) => {
    const metadata = new Metadata();
    metadata.set("taskhub", taskHub);
    const part = role === "client" ? "DurableTaskClient" : "DurableTaskWorker";
    metadata.set("x-user-agent", `durabletask-js/${SDK_VERSION} (${part})`);
    if (workerId !== undefined) metadata.set("workerid", workerId);

    if (tokens !== undefined) metadata.set("authorization", `Bearer ${(await tokens.token()).token}`);

    return metadata;
  };
}
