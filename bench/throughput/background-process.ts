import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const READY_PATIENCE_MS = 60_000;
const STOP_PATIENCE_MS = 10_000;
const POLL_MS = 25;

export interface ProcessOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly folder?: string;
  /** Whom it runs as; absent: as this process. */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** What tells it to leave. */
  readonly stopSignal?: NodeJS.Signals;
}

/** A process that serves until it is stopped. */
export interface BackgroundProcess {
  readonly pid: number;
  /** All that it has written so far. */
  output(): string;
  /** Waits until the probe says true. @throws where the process ends before that, or takes longer than a minute */
  ready(probe: () => boolean | Promise<boolean>): Promise<void>;
  /** Waits until it has gone, and kills it after ten seconds. */
  stop(): Promise<void>;
}

/** @param log the file that its output goes to */
export function startProcess(
  log: string,
  command: string,
  args: readonly string[],
  options: ProcessOptions = {},
): BackgroundProcess {
  const output = openSync(log, "w");
  const child = spawn(command, args, {
    stdio: ["ignore", output, output],
    env: options.env ?? process.env,
    ...(options.folder !== undefined && { cwd: options.folder }),
    ...options.user,
  });
  closeSync(output);
  return supervised(child, command, log, options.stopSignal ?? "SIGTERM");
}

/** A child of any kind as a background process. */
export function supervised(
  child: ChildProcess,
  name: string,
  log: string,
  stopSignal: NodeJS.Signals,
): BackgroundProcess {
  let failure: string | undefined;
  const gone = new Promise<void>((resolve) => {
    child.once("error", (error) => resolve(void (failure = error.message)));
    child.once("exit", (code, signal) => resolve(void (failure = `it ended with ${signal ?? code}`)));
  });
  const read = (): string => readFileSync(log, "utf8");
  return {
    // Without one it could not be started, and `ready` says why.
    pid: child.pid ?? 0,
    output: read,
    async ready(probe) {
      const endMs = performance.now() + READY_PATIENCE_MS;
      while (!(await probe())) {
        const late = performance.now() > endMs ? `it was not ready within ${READY_PATIENCE_MS / 1_000} s` : undefined;
        const reason = failure ?? late;
        if (reason !== undefined) throw new Error(`${name}: ${reason}\n${read().slice(-2_000)}`);
        await sleep(POLL_MS);
      }
    },
    async stop() {
      if (failure !== undefined) return;
      child.kill(stopSignal);
      const patience = sleep(STOP_PATIENCE_MS, undefined, { ref: false }).then(() => child.kill("SIGKILL"));
      await Promise.race([gone, patience]);
      await gone;
    },
  };
}

/** Stops all of them, the last started first, whatever becomes of each; then throws the first error. */
export async function stopAll(running: readonly { stop(): Promise<void> }[]): Promise<void> {
  const errors: unknown[] = [];
  for (const one of running.toReversed()) await one.stop().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}
