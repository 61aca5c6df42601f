import type { EmulatorStatus, HubProgress } from "./admin-protocol.js";
import { raw, type Call, type Service } from "./grpc.js";
import type { TaskHub } from "./task-hub.js";

/** How often a watched value is looked at, milliseconds. */
const WATCH_MS = 100;

export interface AdminContext {
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
    Status: raw((_call, answer) => {
      answer(undefined, encode(context.status()));
    }),

    Watch: (call) => {
      const { taskHub = "", instanceIdPrefix = "" } = decode(call.request);
      watch(context.hub(taskHub), instanceIdPrefix, call);
    },

    DrainWorker: raw((call, answer) => {
      const { taskHub = "", workerId = "" } = decode(call.request);
      context.hub(taskHub).drainWorkers(workerId);
      answer(undefined, encode({}));
    }),

    Stop: raw((_call, answer) => {
      answer(undefined, encode({}));
      context.stop();
    }),
  };
}

function watch(hub: TaskHub, instanceIdPrefix: string, call: Call): void {
  const { counter, stop } = hub.countResults(instanceIdPrefix);
  let sent = "";
  const tell = (): void => {
    const progress: HubProgress = {
      workers: hub.workerCount,
      workerlessMs: Math.round(hub.workerlessMs),
      activitiesCompleted: counter.count,
    };
    const text = JSON.stringify(progress);
    // A client that does not read gets the latest value once it does, not all that it missed.
    if (text !== sent && call.bytesWaiting === 0) {
      sent = text;
      call.write(Buffer.from(text));
    }
  };
  tell();
  const timer = setInterval(tell, WATCH_MS);
  const end = (): void => {
    clearInterval(timer);
    stop();
  };
  call.onCancelled = end;
}
