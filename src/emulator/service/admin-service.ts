import type { EmulatorStatus, HubProgress } from "../../protocol/admin.js";
import { unary, type Call, type Service } from "./call.js";
import type { Clock } from "../clock/clock.js";
import type { TaskHub } from "../hub/task-hub.js";

/** How often a watched value is looked at, milliseconds. */
const WATCH_MS = 100;

export interface AdminContext {
  readonly clock: Pick<Clock, "steadyMs" | "every">;
  status(): EmulatorStatus;
  hub(name: string): TaskHub;
  /** Ends the emulator as SIGTERM does. */
  stop(): void;
}

const encode = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const decode = (bytes: Buffer): Record<string, string> => JSON.parse(bytes.toString()) as Record<string, string>;

/** The emulator's own service: see `admin-protocol.ts`. */
export function adminService(context: AdminContext): Service {
  return {
    Status: unary((_call, answer) => {
      answer(undefined, encode(context.status()));
    }),

    Watch: (call) => {
      const { taskHub = "", instanceIdPrefix = "", orchestrator } = decode(call.request);
      const hub = context.hub(taskHub);
      const workers = orchestrator === undefined ? hub : new Hosts(hub, orchestrator, context.clock);
      watch(hub, instanceIdPrefix, workers, context.clock, call);
    },

    DrainWorker: unary((call, answer) => {
      const { taskHub = "", workerId = "" } = decode(call.request);
      context.hub(taskHub).drainWorkers(workerId);
      answer(undefined, encode({}));
    }),

    Stop: unary((_call, answer) => {
      answer(undefined, encode({}));
      context.stop();
    }),
  };
}

/** The workers of a hub that take work of one orchestrator. */
class Hosts {
  #absentSinceMs: number | undefined;

  readonly #hub: TaskHub;
  readonly #orchestrator: string;
  readonly #clock: Pick<Clock, "steadyMs">;

  constructor(hub: TaskHub, orchestrator: string, clock: Pick<Clock, "steadyMs">) {
    this.#hub = hub;
    this.#orchestrator = orchestrator;
    this.#clock = clock;
  }

  get workerCount(): number {
    return this.#hub.workersFor(this.#orchestrator);
  }

  get workerlessMs(): number {
    if (this.workerCount > 0) this.#absentSinceMs = undefined;
    else this.#absentSinceMs ??= this.#clock.steadyMs();
    return this.#absentSinceMs === undefined ? 0 : this.#clock.steadyMs() - this.#absentSinceMs;
  }
}

function watch(
  hub: TaskHub,
  instanceIdPrefix: string,
  workers: Pick<TaskHub, "workerCount" | "workerlessMs">,
  clock: Pick<Clock, "every">,
  call: Call,
): void {
  const { counter, stop } = hub.countResults(instanceIdPrefix);
  const limits = hub.watchLimits(instanceIdPrefix, () => {
    tell();
  });
  let sent = "";
  const tell = (): void => {
    const progress: HubProgress = {
      workers: workers.workerCount,
      workerlessMs: Math.round(workers.workerlessMs),
      activitiesCompleted: counter.count,
      ...(limits.found.first !== undefined && { beyondScheduler: limits.found.first }),
    };
    const text = JSON.stringify(progress);
    // A client that does not read gets the latest value once it does, not all that it missed.
    if (text !== sent && call.bytesWaiting === 0) {
      sent = text;
      call.write(Buffer.from(text));
    }
  };
  tell();
  const stopTelling = clock.every(WATCH_MS, tell);
  const end = (): void => {
    stopTelling();
    stop();
    limits.stop();
  };
  call.onCancelled = end;
}
