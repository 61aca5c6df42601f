import { Server, ServerCredentials } from "@grpc/grpc-js";
import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { adminMethods, adminService, type AdminContext } from "./admin-service.js";
import { ADMIN_SERVICE, type EmulatorStatus } from "./admin-protocol.js";
import { GroupCommit } from "./group-commit.js";
import { serviceDefinition } from "./grpc.js";
import type { Lease } from "./leases.js";
import { RpcError } from "./rpc-error.js";
import { sidecarMethods, sidecarService } from "./sidecar-service.js";
import type { Store } from "./store.js";
import type { HubContext } from "./instance-table.js";
import { TaskHub } from "./task-hub.js";
import { createWallClock } from "./wall-clock.js";

/** The hub of calls that name none. */
const DEFAULT_HUB = "default";

/** A connection that leaves a ping unanswered for `pingEveryMs + pingTimeoutMs` = 30 s is closed. */
const SERVER_OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.max_send_message_length": -1,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 20_000,
  "grpc.enable_channelz": 0,
};

export interface EmulatorOptions {
  readonly store: Store;
  readonly version: string;
  /** Named in its status. */
  readonly folder: string;
  /** A client has asked it to stop. */
  readonly onStop: () => void;
  /** The number of open connections has changed. */
  readonly onConnections: (open: number) => void;
}

/** A Durable Task backend: its hubs on a store, served over gRPC on the listeners that it is given. */
export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #hubs = new Map<string, TaskHub>();
  readonly #context: HubContext;
  readonly #connections = new Set<Socket>();
  readonly #listeners: { readonly server: NetServer; readonly endpoint: string }[] = [];
  readonly #startedAt = new Date().toISOString();

  constructor(options: EmulatorOptions) {
    this.#options = options;
    const epoch = randomBytes(6).toString("hex");
    let tokens = 0;
    const commits = new GroupCommit(options.store, {
      onCommitted: () => {
        this.#afterCommit();
      },
      onRolledBack: () => {
        this.#load();
      },
    });
    this.#context = {
      store: options.store,
      commits,
      clock: createWallClock(),
      newToken: () => `${epoch}-${(tokens += 1).toString(36)}`,
    };
    this.#load();
    this.#afterCommit();
  }

  /** Accepts connections there: a path of a Unix socket, or a port of the loopback interface. */
  async listen(address: { readonly path: string } | { readonly port: number }): Promise<void> {
    const server = createServer((socket) => {
      this.#accept(socket);
    });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in address ? address : { ...address, host: "127.0.0.1" }, resolve);
    });
    const bound = server.address() as AddressInfo | string;
    const endpoint = typeof bound === "string" ? `unix:${bound}` : `${bound.address}:${bound.port}`;
    this.#listeners.push({ server, endpoint });
  }

  status(): EmulatorStatus {
    const hubs = [...this.#hubs.values()];
    return {
      pid: process.pid,
      version: this.#options.version,
      endpoints: this.#listeners.map(({ endpoint }) => endpoint),
      folder: this.#options.folder,
      startedAt: this.#startedAt,
      connections: this.#connections.size,
      ...this.#options.store.counts(),
      workers: hubs.reduce((sum, hub) => sum + hub.workerCount, 0),
      redelivered: hubs.reduce((sum, hub) => sum + hub.redelivered, 0),
    };
  }

  /** Commits what has arrived, ends all streams and connections, and closes the store. */
  close(): void {
    for (const { server } of this.#listeners) {
      server.close();
    }
    this.#context.commits.close();
    for (const hub of this.#hubs.values()) {
      hub.close();
    }
    for (const socket of this.#connections) {
      socket.destroy();
    }
    this.#options.store.close();
  }

  /**
   * Every connection gets a gRPC server of its own: so that its calls know which connection they came over, which
   * gRPC does not tell them, and what its workers hold is given back when it closes.
   */
  #accept(socket: Socket): void {
    const leases = new Set<Lease>();
    const server = new Server(SERVER_OPTIONS);
    const sidecar = sidecarService({
      store: this.#options.store,
      leases,
      hubOf: (call) => this.#hub(String(call.metadata.get("taskhub")[0] ?? DEFAULT_HUB)),
    });
    server.addService(serviceDefinition("TaskHubSidecarService", sidecarMethods), sidecar);
    server.addService(serviceDefinition(ADMIN_SERVICE, adminMethods), adminService(this.#adminContext()));
    socket.once("close", () => {
      this.#connections.delete(socket);
      for (const hub of this.#hubs.values()) {
        hub.disconnect(leases);
      }
      server.forceShutdown();
      this.#options.onConnections(this.#connections.size);
    });
    this.#connections.add(socket);
    this.#options.onConnections(this.#connections.size);
    server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  }

  #adminContext(): AdminContext {
    return {
      status: () => this.status(),
      hub: (name) => this.#hub(name),
      stop: this.#options.onStop,
    };
  }

  #hub(name: string): TaskHub {
    if (name === "") {
      throw new RpcError("INVALID_ARGUMENT", "The metadata `taskhub` is empty; it has to name a task hub.");
    }
    let hub = this.#hubs.get(name);
    if (hub === undefined) {
      hub = new TaskHub(name, this.#context);
      this.#hubs.set(name, hub);
    }
    return hub;
  }

  #load(): void {
    const active = Map.groupBy(this.#options.store.active(), ({ row }) => row.taskHub);
    for (const name of active.keys()) {
      this.#hub(name);
    }
    for (const hub of this.#hubs.values()) {
      hub.reload(active.get(hub.name) ?? []);
    }
  }

  #afterCommit(): void {
    for (const hub of this.#hubs.values()) {
      hub.afterCommit();
    }
  }
}
