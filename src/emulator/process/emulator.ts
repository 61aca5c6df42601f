import { InvariantError } from "../../invariant.js";
import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { adminService } from "../service/admin-service.js";
import { ADMIN_SERVICE, type Backlog, type EmulatorFigures, type EmulatorStatus } from "../../protocol/admin.js";
import type { Durability } from "../../protocol/durability.js";
import { GroupCommit } from "../store/group-commit.js";
import { handlersOf, type Handler } from "../service/call.js";
import { HEALTH_SERVICE, healthService } from "../service/health-service.js";
import { MOST_HELD_BYTES, OWNERS_BYTES } from "../limits/limits.js";
import { Listener, isOwners, type Place } from "../transport/listener.js";
import { MemoryBudget } from "../transport/memory-budget.js";
import { WaitingBytes } from "../instance/waiting-bytes.js";
import { LongestTurn } from "./longest-turn.js";
import { RetentionKeeper } from "../hub/retention-keeper.js";
import type { Retention } from "../hub/retention.js";
import { clientService } from "../service/client-service.js";
import { hubName, type ServiceContext } from "../service/service-context.js";
import { workerService } from "../service/worker-service.js";
import type { Store } from "../store/store.js";
import { SchedulerLimits, type LimitsMode } from "../limits/scheduler-limits.js";
import { storeBytes } from "../store/store-bytes.js";
import type { HubContext } from "../hub/hub-context.js";
import { TaskHubs } from "../hub/task-hubs.js";
import { Clock } from "../clock/clock.js";
import { MACHINE_TIME } from "../clock/machine-time.js";
import type { Cancel, SystemTime } from "../clock/system-time.js";
import type { WorkKind } from "../dispatch/work.js";
import type { HeldItem } from "../dispatch/worker.js";

const SIDECAR_SERVICE = "TaskHubSidecarService";

export interface EmulatorOptions {
  readonly store: Store;
  readonly version: string;
  /** How long an episode waits for more results at most, milliseconds, in place of what has proved best. */
  readonly mostHoldMs?: number | undefined;
  /** What is kept of what has ended; undefined keeps all of it. */
  readonly retention?: Retention | undefined;
  /** The task hubs that there are, besides those that were created by CreateTaskHub; undefined: any that is named. */
  readonly taskHubs?: readonly string[] | undefined;
  /** What is done about payloads and ids that a Scheduler would not take; undefined: they are taken. */
  readonly limits?: LimitsMode | undefined;
  /** Told in a line, once, that some were taken. */
  readonly onNotice?: (line: string) => void;
  /** Named in its status, as the next. */
  readonly folder: string;
  /** What the store promises; undefined: `disk`. */
  readonly durability?: Durability | undefined;
  /** The clocks and timers that it goes by; undefined: those of this machine. */
  readonly time?: SystemTime | undefined;
  /** A client has asked it to stop. */
  readonly onStop: () => void;
  /** What was committed could not be brought to the disk: everything is refused from here on. It has to be closed. */
  readonly onLost: (error: Error) => void;
  /** The number of open connections has changed. */
  readonly onConnections: (open: number) => void;
}

/** How often it looks at its files while nothing is written to them. */
const CHECK_FILES_MS = 1_000;

/** A Durable Task backend: its hubs on a store, served over gRPC on the listeners that it is given. */
export class Emulator {
  readonly #options: EmulatorOptions;
  readonly #hubs: TaskHubs;
  readonly #context: HubContext;
  readonly #listeners: Listener[] = [];
  /** What the calls of all connections may hold, and those of ports. */
  readonly #budget = new MemoryBudget(MOST_HELD_BYTES);
  readonly #portBudget = new MemoryBudget(MOST_HELD_BYTES - OWNERS_BYTES, this.#budget);
  /** What the owner alone may ask. */
  readonly #admin: ReadonlyMap<string, Handler>;
  readonly #retention: RetentionKeeper | undefined;
  readonly #startedAt: string;
  readonly #stopChecking: Cancel;
  readonly #turns = new LongestTurn();
  #closed = false;

  constructor(options: EmulatorOptions) {
    this.#options = options;
    const epoch = randomBytes(6).toString("hex");
    let tokens = 0;
    const clock = new Clock(options.time ?? MACHINE_TIME);
    this.#startedAt = new Date(clock.nowUs() / 1_000).toISOString();
    const commits = new GroupCommit(options.store, clock, {
      onCommitted: () => this.#hubs.afterCommit(),
      onRolledBack: () => {
        this.#hubs.load();
      },
      onLost: options.onLost,
    });
    this.#context = {
      store: options.store,
      commits,
      clock,
      newToken: () => `${epoch}-${(tokens += 1).toString(36)}`,
      mostHoldMs: options.mostHoldMs,
      limits: new SchedulerLimits(options.limits ?? "none", (sentence) => options.onNotice?.(sentence)),
      waitingBytes: new WaitingBytes(),
    };
    this.#hubs = new TaskHubs(this.#context, options.taskHubs);
    this.#retention = options.retention && new RetentionKeeper({ ...this.#context, retention: options.retention });
    this.#admin = handlersOf({
      [ADMIN_SERVICE]: adminService({
        clock,
        status: () => this.status(),
        hub: (name) => this.#hubs.named(name),
        stop: options.onStop,
      }),
    });
    this.#stopChecking = clock.every(CHECK_FILES_MS, () => {
      commits.checkFiles();
    });
    this.#hubs.load();
    // The store was opened just now: what it holds is on disk.
    this.#hubs.afterCommit()();
  }

  /** Accepts connections there. Only what is for the owner alone has the admin service. Returns the port, unless at a path. */
  async listen(place: Place): Promise<number | undefined> {
    const isOwn = isOwners(place);
    const admin = isOwn ? this.#admin : new Map<string, Handler>();
    const listener = new Listener(place, {
      clock: this.#context.clock,
      handlersFor: (socket) => new Map([...this.#handlers(socket), ...admin]),
      always: admin,
      budget: isOwn ? this.#budget : this.#portBudget,
      onConnections: () => {
        this.#options.onConnections(this.#connections);
      },
    });
    await listener.open();
    this.#listeners.push(listener);
    return "path" in place ? undefined : listener.port;
  }

  status(): EmulatorStatus {
    return {
      pid: process.pid,
      version: this.#options.version,
      endpoints: this.#listeners.map(({ endpoint }) => endpoint),
      folder: this.#options.folder,
      durability: this.#durability,
      startedAt: this.#startedAt,
      connections: this.#connections,
      instances: this.#options.store.instanceCount(),
      ...this.figures(),
      redelivered: this.#hubs.sum((hub) => hub.redelivered),
      backlog: { orchestrations: this.#backlog("episode"), activities: this.#backlog("activity") },
      longestTurnMs: this.#turns.longestMs,
      expired: this.#retention?.deleted ?? 0,
    };
  }

  figures(): EmulatorFigures {
    return {
      inFlight: this.#hubs.sum((hub) => hub.inFlight),
      workers: this.#hubs.sum((hub) => hub.workerCount),
      orchestrationsEnded: this.#hubs.sum((hub) => hub.orchestrationsEnded),
      activitiesCompleted: this.#hubs.sum((hub) => hub.activitiesCompleted),
      storeBytes: this.#durability === "ephemeral" ? this.#bytesInMemory() : storeBytes(this.#options.folder),
    };
  }

  #backlog(kind: WorkKind): Backlog {
    return {
      waiting: this.#hubs.sum((hub) => hub.backlog(kind).waiting),
      withWorkers: this.#hubs.sum((hub) => hub.backlog(kind).withWorkers),
      resting: this.#hubs.sum((hub) => hub.backlog(kind).resting),
    };
  }

  #bytesInMemory(): number {
    return this.#closed ? 0 : this.#options.store.space().bytes;
  }

  /** Its database is damaged, or its memory: everything is refused from here on, and `onLost` is told. */
  lose(error: Error): void {
    this.#context.commits.lose(error);
  }

  /** Commits what has arrived, ends all streams and connections, and closes the store. */
  close(): void {
    for (const listener of this.#listeners) listener.stopAccepting();

    this.#stopChecking();
    this.#retention?.stop();
    this.#context.commits.close();
    for (const hub of this.#hubs.all) hub.close();

    for (const listener of this.#listeners) listener.closeConnections();

    this.#options.store.close();
    this.#turns.stop();
    this.#closed = true;
  }

  get #durability(): Durability {
    return this.#options.durability ?? "disk";
  }

  get #connections(): number {
    return this.#listeners.reduce((sum, { connections }) => sum + connections, 0);
  }

  /**
   * Every connection gets handlers of its own: so that calls know which connection they came over, and what its
   * workers hold is given back when it closes.
   */
  #handlers(socket: Socket): ReadonlyMap<string, Handler> {
    const heldItems = new Set<HeldItem>();
    socket.once("close", () => {
      for (const hub of this.#hubs.all) hub.disconnect(heldItems);
    });
    const context: ServiceContext = {
      store: this.#options.store,
      commits: this.#context.commits,
      heldItems,
      hubs: this.#hubs,
      hubOf: (call) => this.#hubs.named(hubName(call)),
    };
    const handlers = handlersOf({
      [SIDECAR_SERVICE]: { ...clientService(context), ...workerService(context) },
      [HEALTH_SERVICE]: healthService([SIDECAR_SERVICE]),
    });
    return new Map(Array.from(handlers, ([path, handler]) => [path, this.#orLose(handler)]));
  }

  /** A call that shows that memory contradicts itself is the last one. */
  #orLose(handler: Handler): Handler {
    return (call) => {
      try {
        handler(call);
      } catch (error) {
        if (error instanceof InvariantError) this.lose(error);
        throw error;
      }
    };
  }
}
