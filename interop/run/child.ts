import { spawn, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";

const READY_PATIENCE_MS = 30_000;

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly folder?: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Ended {
  /** Null if a signal ended it. */
  readonly code: number | null;
  /** All that it wrote, to either stream. */
  readonly output: string;
}

/** A process that others wrote, or fanout's; what it says is kept, and told line by line. */
export class Child {
  /** Rejects if it cannot be started. */
  readonly ended: Promise<Ended>;
  #output = "";
  readonly #child: ChildProcess;

  constructor({ program, args, folder, env }: Command, onLine: (line: string) => void = () => {}) {
    const child = spawn(program, args, {
      stdio: "pipe",
      env: env ?? process.env,
      ...(folder !== undefined && { cwd: folder }),
    });
    this.#child = child;
    // One that has gone does not read on.
    child.stdin.on("error", () => {});
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on("line", (line) => {
        this.#output += `${line}\n`;
        onLine(line);
      });
    }
    this.ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve({ code, output: this.#output }));
    });
    // Whoever awaits it hears of it; a worker's end is nobody's until it is stopped.
    this.ended.catch(() => {});
  }

  /** Starts a process and waits until a line of its says that it is ready. Rejects if it ends first, or takes 30 s. */
  static async ready(command: Command, pattern: RegExp): Promise<Child> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const child = new Child(command, (line) => {
      if (pattern.test(line)) resolve();
    });
    const fail = (why: string): void => reject(new Error(`${command.program} ${why}: ${child.#output.slice(-2_000)}`));
    const timer = setTimeout(() => fail("was not ready within 30 s"), READY_PATIENCE_MS);
    child.ended.then(
      () => fail("ended before it was ready"),
      (error: unknown) => fail(String(error)),
    );
    try {
      await promise;
      return child;
    } catch (error) {
      await child.stop("SIGKILL");
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Runs a process to its end, and kills it after so long. */
  static async run(command: Command, patienceMs: number, onLine?: (line: string) => void): Promise<Ended> {
    const child = new Child(command, onLine);
    const timer = setTimeout(() => void child.#child.kill("SIGKILL"), patienceMs);
    try {
      return await child.ended;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends it, by a signal and by the end of what it reads. */
  async stop(signal: NodeJS.Signals): Promise<Ended> {
    this.#child.kill(signal);
    this.#child.stdin?.end();
    return this.ended.catch((error: unknown) => ({ code: null, output: String(error) }));
  }
}
