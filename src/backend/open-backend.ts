import { Metadata, credentials } from "@grpc/grpc-js";
import { openStateFolder } from "../emulator/state-folder.js";
import { UsageError } from "../errors.js";
import { SDK_VERSION } from "../version.js";
import type { Backend, GrpcTarget } from "./backend.js";
import { pause } from "./call-retry.js";
import { channelOptions } from "./channel-options.js";
import type { Connection } from "./connection-string.js";
import { EmulatorAdminClient } from "./emulator-admin.js";
import { ensureEmulator } from "./emulator-launcher.js";
import { SidecarClient } from "./sidecar-client.js";

/** Attempts of one call in a row that find the backend away. */
const SCHEDULER_ATTEMPTS = 10;
/** The emulator is started again between two attempts; only one that dies at once, over and over, uses these up. */
const EMULATOR_ATTEMPTS = 100;

export interface OpenOptions {
  /** Told in a line that the emulator was started, or started again. */
  readonly onNotice?: (line: string) => void;
}

/**
 * Opens a backend. The embedded emulator is there when this resolves; of another backend only the first call tells
 * whether it can be reached. Rejects with a FanoutError if the emulator cannot be started.
 */
export async function openBackend(connection: Connection, { onNotice = () => {} }: OpenOptions = {}): Promise<Backend> {
  return connection.kind === "emulator" ? openEmulator(connection, onNotice) : openEndpoint(connection);
}

async function openEmulator(connection: Connection, onNotice: (line: string) => void): Promise<Backend> {
  if (process.platform === "win32") {
    throw new UsageError(
      "The embedded emulator needs Unix sockets, which Node does not have on Windows. Run fanout in WSL, or name " +
        "another backend with --connection-string.",
    );
  }
  const state = openStateFolder();
  const ensure = async (notice: string): Promise<void> => {
    if (await ensureEmulator(state)) {
      onNotice(notice);
    }
  };
  await ensure(`started the embedded emulator; its state is in ${state.folder}`);
  let recovering: Promise<void> | undefined;
  const recover = async (): Promise<void> => {
    recovering ??= ensure("the embedded emulator was gone; started it again").finally(() => {
      recovering = undefined;
    });
    await recovering;
    await pause();
  };
  const target = grpcTarget(`unix:${state.socket}`, "emulator", connection.taskHub);
  const client = new SidecarClient(target, { recover, maxAttempts: EMULATOR_ATTEMPTS });
  const admin = new EmulatorAdminClient(target, connection.taskHub, { recover, maxAttempts: EMULATOR_ATTEMPTS });
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

function openEndpoint(connection: Extract<Connection, { kind: "endpoint" }>): Backend {
  const { url, taskHub } = connection;
  const secure = url.protocol === "https:";
  const address = `${url.hostname}:${url.port || (secure ? 443 : 80)}`;
  const target = grpcTarget(address, "scheduler", taskHub, secure);
  const client = new SidecarClient(target, { recover: pause, maxAttempts: SCHEDULER_ATTEMPTS });
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

function grpcTarget(address: string, kind: "emulator" | "scheduler", taskHub: string, secure = false): GrpcTarget {
  return {
    address,
    credentials: secure ? credentials.createSsl() : credentials.createInsecure(),
    options: channelOptions(kind),
    async metadata(role, workerId) {
      const metadata = new Metadata();
      metadata.set("taskhub", taskHub);
      const part = role === "client" ? "DurableTaskClient" : "DurableTaskWorker";
      metadata.set("x-user-agent", `durabletask-js/${SDK_VERSION} (${part})`);
      if (workerId !== undefined) {
        metadata.set("workerid", workerId);
      }
      return metadata;
    },
  };
}
