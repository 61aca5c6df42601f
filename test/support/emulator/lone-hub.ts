import { onTestFinished } from "vitest";
import { Clock } from "../../../src/emulator/clock/clock.js";
import { TaskHub } from "../../../src/emulator/hub/task-hub.js";
import { WaitingBytes } from "../../../src/emulator/instance/waiting-bytes.js";
import { SchedulerLimits } from "../../../src/emulator/limits/scheduler-limits.js";
import { GroupCommit } from "../../../src/emulator/store/group-commit.js";
import { openSqliteStore } from "../../../src/emulator/store/sqlite/store.js";
import type { Store } from "../../../src/emulator/store/store.js";
import { VirtualTime } from "./virtual-time.js";

/** A task hub in memory, without a server and without workers, until the test is over. */
export class LoneHub {
  readonly hub: TaskHub;
  readonly store: Store;
  readonly commits: GroupCommit;
  readonly waitingBytes = new WaitingBytes();

  private constructor(store: Store) {
    const clock = new Clock(new VirtualTime());
    this.store = store;
    this.commits = new GroupCommit(store, clock, {
      onCommitted: () => this.hub.afterCommit(),
      onRolledBack: () => {
        this.hub.reload(store.active(), store.detached());
      },
      onLost: (error) => {
        throw error;
      },
    });
    const { commits, waitingBytes } = this;
    const limits = new SchedulerLimits("none", () => {});
    this.hub = new TaskHub("hub", { store, commits, clock, newToken: () => "token", limits, waitingBytes });
  }

  static async open(): Promise<LoneHub> {
    const lone = new LoneHub(await openSqliteStore(":memory:"));
    onTestFinished(() => {
      lone.hub.close();
      lone.store.close();
    });
    return lone;
  }

  /** Answers how the start ended. */
  start(instanceId: string, input?: Uint8Array): Error | undefined {
    const start = {
      instanceId,
      name: "Orchestrator",
      version: undefined,
      input,
      executionId: undefined,
      scheduledStartUs: 0,
      traceContext: undefined,
      tags: [],
    };
    return this.ask((answer) => {
      this.hub.clients.start(start, { statuses: [], action: "replace" }, answer);
    });
  }

  /** Makes a call, commits it, and returns its error. */
  ask(call: (answer: (error: Error | undefined) => void) => void): Error | undefined {
    let failure: Error | undefined = new Error("There was no answer.");
    call((error) => {
      failure = error;
    });
    this.commits.flush();
    return failure;
  }
}
