import { mkdtempSync, rmSync } from "node:fs";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { credentials, type ChannelOptions } from "@grpc/grpc-js";
import {
  NoOpLogger,
  TaskHubGrpcClient,
  TaskHubGrpcWorker,
  type TActivity,
  type TaskHubGrpcWorkerOptions,
  type TOrchestrator,
} from "@microsoft/durabletask-js";
import { EmulatorAdminClient } from "../../../src/backend/emulator-admin.js";
import { Emulator, type EmulatorOptions } from "../../../src/emulator/process/emulator.js";
import { openSqliteStore } from "../../../src/emulator/store/sqlite/store.js";
import type { Store } from "../../../src/emulator/store/store.js";
import { CHANNEL_OPTIONS, RawConnection, metadataOf } from "./raw-connection.js";

/** A real emulator in this process, on a real file and a real socket, and ways to speak to it. */
export class ServedEmulator {
  emulator!: Emulator;
  store!: Store;
  readonly folder = mkdtempSync(path.join(tmpdir(), "fanout-emulator-"));
  readonly socket = path.join(this.folder, "e.sock");
  readonly address = `unix:${this.socket}`;
  /** Why it can no longer say what is on disk. */
  readonly lost: Error[] = [];
  readonly #options: Partial<EmulatorOptions>;
  #proxies = 0;
  readonly #closers: (() => void)[] = [];

  constructor(options: Partial<EmulatorOptions> = {}) {
    this.#options = options;
  }

  static async start(options: Partial<EmulatorOptions> = {}): Promise<ServedEmulator> {
    const served = new ServedEmulator(options);
    await served.open();
    return served;
  }

  /** Serves what is in the store; `stop` in between makes it the next emulator of the same file. */
  async open(): Promise<void> {
    this.store = await openSqliteStore(path.join(this.folder, "emulator.db"), { time: this.#options.time });
    this.emulator = new Emulator({
      store: this.store,
      version: "test",
      folder: this.folder,
      onStop: () => {},
      onLost: (error) => this.lost.push(error),
      onConnections: () => {},
      ...this.#options,
    });
    await this.emulator.listen({ path: this.socket });
  }

  /** Ends the emulator as it stands: its leases are in memory only, so work that is outstanding stays so. */
  stop(): void {
    this.emulator.close();
  }

  close(): void {
    for (const close of this.#closers) close();

    this.emulator.close();
    rmSync(this.folder, { recursive: true });
  }

  client(taskHub = "hub", options: ChannelOptions = {}): TaskHubGrpcClient {
    return new TaskHubGrpcClient({
      hostAddress: this.address,
      options: { ...CHANNEL_OPTIONS, ...options },
      logger: new NoOpLogger(),
      metadataGenerator: () => Promise.resolve(metadataOf(taskHub)),
    });
  }

  async worker(work: Workload, taskHub = "hub", options: TaskHubGrpcWorkerOptions = {}): Promise<TaskHubGrpcWorker> {
    const worker = new TaskHubGrpcWorker({
      hostAddress: this.address,
      options: CHANNEL_OPTIONS,
      logger: new NoOpLogger(),
      metadataGenerator: () => Promise.resolve(metadataOf(taskHub)),
      ...options,
    });
    for (const [name, orchestrator] of Object.entries(work.orchestrators ?? {}))
      worker.addNamedOrchestrator(name, orchestrator);

    for (const [name, activity] of Object.entries(work.activities ?? {})) worker.addNamedActivity(name, activity);

    await worker.start();
    // Its stop() ends with a pause of one second that nothing here waits for.
    this.#closers.push(() => void worker.stop());
    return worker;
  }

  /** A connection of its own, spoken to call by call. */
  connect(taskHub = "hub", options: ChannelOptions = {}): RawConnection {
    const connection = new RawConnection(this.address, taskHub, options);
    this.#closers.push(() => {
      connection.close();
    });
    return connection;
  }

  /** A connection that `cut` breaks, as the death of the process at its other end does: a close would wait for calls. */
  async connectCuttably(taskHub = "hub"): Promise<{ connection: RawConnection; cut: () => void }> {
    const sockets = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = createConnection(this.socket);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.pipe(to);
        from.on("error", () => {});
        from.on("close", () => to.destroy());
      }
    });
    const cut = (): void => {
      proxy.close();
      for (const socket of sockets) socket.destroy();
    };
    const socket = path.join(this.folder, `proxy-${(this.#proxies += 1)}.sock`);
    await new Promise<void>((resolve) => {
      proxy.listen(socket, resolve);
    });
    this.#closers.push(cut);
    const connection = new RawConnection(`unix:${socket}`, taskHub);
    this.#closers.push(() => {
      connection.close();
    });
    return { connection, cut };
  }

  admin(taskHub = "hub"): EmulatorAdminClient {
    const target = {
      address: this.address,
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: CHANNEL_OPTIONS,
      metadata: () => Promise.resolve(metadataOf(taskHub)),
    };
    const policy = { recover: () => Promise.resolve(), maxAttempts: 2, explain: (error: unknown) => error };
    const admin = new EmulatorAdminClient(target, taskHub, policy);
    this.#closers.push(() => {
      admin.close();
    });
    return admin;
  }
}

export interface Workload {
  readonly orchestrators?: Readonly<Record<string, TOrchestrator>>;
  readonly activities?: Readonly<Record<string, TActivity<unknown, unknown>>>;
}
