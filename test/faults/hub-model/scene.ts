import { vi } from "vitest";
import { GroupCommit } from "../../../src/emulator/store/group-commit.js";
import { openSqliteStore } from "../../../src/emulator/store/sqlite/store.js";
import { Status } from "../../../src/protocol/orchestration-status.js";
import type { InstanceRow, Store } from "../../../src/emulator/store/store.js";
import { SchedulerLimits } from "../../../src/emulator/limits/scheduler-limits.js";
import { WaitingBytes } from "../../../src/emulator/instance/waiting-bytes.js";
import { TaskHub } from "../../../src/emulator/hub/task-hub.js";
import { MACHINE_TIME } from "../../../src/emulator/clock/machine-time.js";
import { Clock } from "../../../src/emulator/clock/clock.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { failNext } from "../../support/emulator/failing-store.js";
import { START_MS, type Trace } from "./trace.js";

const HUB = "hub";
const IN_FLIGHT = [Status.Running, Status.Pending, Status.Suspended];

export type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

/** What is wrong with a hub on purpose, for the model to find: memory stays as it is behind a turn that was rolled back. */
export type Flaw = "no reload";

/** What a crash takes along. */
interface Process {
  readonly hub: TaskHub;
  readonly commits: GroupCommit;
}

/** A task hub on a store whose disk does what the seed says, in a process that may end at any time, by a clock of its own. */
export class Scene {
  readonly trace: Trace;
  readonly store: Store;
  readonly #intact: Pick<Store, "begin" | "commit">;
  readonly #flaw: Flaw | undefined;
  /** Ends the syncs that are under way, the first one first. */
  #syncs: (() => void)[] = [];
  #tokens = 0;
  #process: Process;

  private constructor(store: Store, trace: Trace, flaw: Flaw | undefined) {
    this.trace = trace;
    this.store = store;
    this.#flaw = flaw;
    this.#intact = { begin: store.begin.bind(store), commit: store.commit.bind(store) };
    store.sync = (done) => {
      this.#syncs.push(() => {
        done(undefined);
      });
    };
    vi.useFakeTimers({ now: START_MS });
    this.#process = this.#boot();
  }

  static async open(trace: Trace, flaw?: Flaw): Promise<Scene> {
    return new Scene(await openSqliteStore(":memory:"), trace, flaw);
  }

  get hub(): TaskHub {
    return this.#process.hub;
  }

  /** What was committed is there when the next process begins; what was not, and who waits for an answer, is gone. */
  crash(): void {
    this.trace.note("crash");
    this.hub.close();
    this.#syncs = [];
    // The timers of a process end with it.
    vi.useFakeTimers({ now: Date.now() });
    this.#process = this.#boot();
  }

  /** Ends the turn: what was asked of the hub is committed, unless the disk has no room for it. */
  flush(): void {
    this.#process.commits.flush();
  }

  /** The next turn that has something to write finds no room. */
  fillDisk(step: "begin" | "commit"): void {
    failNext(this.store, step);
  }

  makeRoom(): void {
    Object.assign(this.store, this.#intact);
  }

  get isSyncing(): boolean {
    return this.#syncs.length > 0;
  }

  endSync(): void {
    this.#syncs.shift()?.();
  }

  /** Brings to the disk what there is, and what comes of that at once. */
  settle(): void {
    this.flush();
    while (this.isSyncing) {
      this.endSync();
      this.flush();
    }
  }

  pass(ms: number): void {
    vi.advanceTimersByTime(ms);
  }

  close(): void {
    this.hub.close();
    this.store.close();
    vi.useRealTimers();
  }

  find(instanceId: string): InstanceRow | undefined {
    return this.store.find(HUB, instanceId, false);
  }

  /** In the order in which they were started. */
  rows(statuses: readonly number[] = []): InstanceRow[] {
    const { rows } = this.store.query({
      taskHub: HUB,
      instanceIdPrefix: "",
      afterInstanceId: "",
      statuses,
      createdFromUs: 0,
      createdToUs: 0,
      limit: 1_000,
      payloads: false,
    });
    return [...rows].sort((one, other) => one.createdUs - other.createdUs);
  }

  inFlight(): InstanceRow[] {
    return this.rows(IN_FLIGHT);
  }

  historyOf({ key }: InstanceRow): HistoryEvent[] {
    return this.store.history(key).map((event) => pb.HistoryEvent.deserializeBinary(event));
  }

  waitingOf({ key }: InstanceRow): HistoryEvent[] {
    return this.store.waiting(key).map((event) => pb.HistoryEvent.deserializeBinary(event));
  }

  #boot(): Process {
    const { store, trace } = this;
    const commits = new GroupCommit(store, MACHINE_TIME, {
      onCommitted: () => hub.afterCommit(),
      onRolledBack: () => {
        trace.note("roll back");
        if (this.#flaw !== "no reload") this.#load(hub);
      },
      onLost: (error) => {
        throw error;
      },
    });
    const newToken = (): string => `t-${(this.#tokens += 1)}`;
    const limits = new SchedulerLimits("none", () => {});
    const hub = new TaskHub(HUB, {
      store,
      commits,
      clock: new SceneClock(),
      newToken,
      limits,
      waitingBytes: new WaitingBytes(),
    });
    this.#load(hub);
    hub.afterCommit()();
    return { hub, commits };
  }

  /** In an order that does not depend on ids: the hub draws some of them, others in each run. */
  #load(hub: TaskHub): void {
    const active = [...this.store.active()].sort((one, other) => one.row.key - other.row.key);
    const detached = this.store.detached().sort((one, other) => one.taskId - other.taskId);
    hub.reload(active, detached);
  }
}

/** Time passes when the scene says so: `vi` has the timers of this process. */
class SceneClock extends Clock {
  #lastUs = 0;

  constructor() {
    super(MACHINE_TIME);
  }

  /** Never twice the same, as on a machine where reading it takes a microsecond. */
  override nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Date.now() * 1_000);
    return this.#lastUs;
  }
}
