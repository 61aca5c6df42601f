import { randomBytes } from "node:crypto";
import { createServer, type AddressInfo, type Server as NetServer, type Socket } from "node:net";
import { adminService, type AdminContext } from "./admin-service.js";
import { ADMIN_SERVICE, type EmulatorFigures, type EmulatorStatus } from "./admin-protocol.js";
import { GroupCommit } from "./group-commit.js";
import { serveGrpc } from "./grpc-connection.js";
import { handlersOf, type Handler } from "./grpc.js";
import type { Lease } from "./leases.js";
import { recognizeLink, serveLink } from "./link-server.js";
import { RetentionKeeper, laterUnref } from "./retention-keeper.js";
import type { Retention } from "./retention.js";
import { RpcError } from "./rpc-error.js";
import { sidecarService } from "./sidecar-service.js";
import type { ActiveInstance, Store } from "./store.js";
import { storeBytes } from "./store-bytes.js";
import type { HubContext } from "./instance-table.js";
import { TaskHub } from "./task-hub.js";
import { createWallClock } from "./wall-clock.js";

/** The hub of calls that name none. */
const DEFAULT_HUB = "default";

export interface EmulatorOptions {
  readonly store: Store;
  readonly version: string;
  /** How long an episode waits for more results at most, milliseconds, in place of what has proved best. */
  readonly mostHoldMs?: number | undefined;
  /** What is kept of what has ended; undefined keeps all of it. */
  readonly retention?: Retention | undefined;
  /** Named in its status. */
  readonly folder: string;
  /** A client has asked it to stop. */
  readonly onStop: () => void;
  /** What was committed could not be brought to the disk: everything is refused from here on. It has to be closed. */
  readonly onLost: (error: Error) => void;
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
  readonly #retention: RetentionKeeper | undefined;
  readonly #startedAt = new Date().toISOString();

  constructor(options: EmulatorOptions) {
    this.#options = options;
    const epoch = randomBytes(6).toString("hex");
    let tokens = 0;
    const commits = new GroupCommit(options.store, {
      onCommitted: () => this.#afterCommit(),
      onRolledBack: () => {
        this.#load();
      },
      onLost: options.onLost,
    });
    this.#context = {
      store: options.store,
      commits,
      clock: createWallClock(),
      newToken: () => `${epoch}-${(tokens += 1).toString(36)}`,
      mostHoldMs: options.mostHoldMs,
    };
    this.#retention =
      options.retention &&
      new RetentionKeeper({
        ...this.#context,
        retention: options.retention,
        steadyMs: () => performance.now(),
        later: laterUnref,
      });
    this.#load();
    // The store was opened just now: what it holds is on disk.
    this.#afterCommit()();
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
      instances: this.#options.store.instanceCount(),
      ...this.figures(),
      redelivered: sumOf(hubs, (hub) => hub.redelivered),
      expired: this.#retention?.deleted ?? 0,
    };
  }

  figures(): EmulatorFigures {
    const hubs = [...this.#hubs.values()];
    return {
      inFlight: sumOf(hubs, (hub) => hub.inFlight),
      workers: sumOf(hubs, (hub) => hub.workerCount),
      orchestrationsEnded: sumOf(hubs, (hub) => hub.orchestrationsEnded),
      activitiesCompleted: sumOf(hubs, (hub) => hub.activitiesCompleted),
      storeBytes: storeBytes(this.#options.folder),
    };
  }

  /** Commits what has arrived, ends all streams and connections, and closes the store. */
  close(): void {
    for (const { server } of this.#listeners) {
      server.close();
    }
    this.#retention?.stop();
    this.#context.commits.close();
    for (const hub of this.#hubs.values()) {
      hub.close();
    }
    for (const socket of this.#connections) {
      socket.destroy();
    }
    this.#options.store.close();
  }

  #accept(socket: Socket): void {
    const leases = new Set<Lease>();
    socket.once("close", () => {
      this.#connections.delete(socket);
      for (const hub of this.#hubs.values()) {
        hub.disconnect(leases);
      }
      this.#options.onConnections(this.#connections.size);
    });
    this.#connections.add(socket);
    this.#options.onConnections(this.#connections.size);
    // The close that follows is what counts.
    socket.on("error", () => {});
    const handlers = this.#handlers(leases);
    recognizeLink(socket, (isLink) => {
      (isLink ? serveLink : serveGrpc)(socket, handlers);
    });
  }

  /**
   * Every connection gets handlers of its own: so that calls know which connection they came over, and what its
   * workers hold is given back when it closes.
   */
  #handlers(leases: Set<Lease>): ReadonlyMap<string, Handler> {
    return handlersOf({
      TaskHubSidecarService: sidecarService({
        store: this.#options.store,
        commits: this.#context.commits,
        leases,
        hubOf: (call) => this.#hub(call.header("taskhub") ?? DEFAULT_HUB),
      }),
      [ADMIN_SERVICE]: adminService(this.#adminContext()),
    });
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
    const active = this.#options.store.active()[Symbol.iterator]();
    let next = active.next();
    function* activeOf(name: string): Generator<ActiveInstance> {
      for (; next.done !== true && next.value.row.taskHub === name; next = active.next()) {
        yield next.value;
      }
    }
    const others = new Set(this.#hubs.values());
    // They come hub by hub, so that there is never a list of all of them.
    while (next.done !== true) {
      const hub = this.#hub(next.value.row.taskHub);
      hub.reload(activeOf(hub.name));
      others.delete(hub);
    }
    for (const hub of others) {
      hub.reload([]);
    }
  }

  #afterCommit(): () => void {
    const publish = Array.from(this.#hubs.values(), (hub) => hub.afterCommit());
    return () => {
      for (const each of publish) {
        each();
      }
    };
  }
}

function sumOf(hubs: readonly TaskHub[], count: (hub: TaskHub) => number): number {
  return hubs.reduce((sum, hub) => sum + count(hub), 0);
}
