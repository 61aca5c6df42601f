import { spawn, type ChildProcess } from "node:child_process";
import { stripVTControlCharacters } from "node:util";

/** Long enough for a machine that does much else; a test that waits this long has found something. */
const PATIENCE_MS = 45_000;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Waiting {
  readonly pattern: RegExp;
  readonly from: number;
  readonly resolve: (match: RegExpExecArray) => void;
  readonly reject: (error: Error) => void;
}

export interface SpawnPlace {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/** A process under test: what it has said so far, what it will say, and how it ends. */
export class FanoutProcess {
  stdout = "";
  stderr = "";
  /** Both streams, in the order in which they arrived. */
  output = "";
  /** Resolves when it has exited and all it wrote has been read. */
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #waiting = new Set<Waiting>();
  readonly #name: string;

  constructor(command: string, args: readonly string[], { cwd, env }: SpawnPlace) {
    this.#name = [command, ...args].join(" ");
    const child = spawn(command, args, { cwd, env, stdio: "pipe" });
    this.#child = child;
    // A process that has gone does not read what is written to it.
    child.stdin.on("error", () => {});
    child.stdout.setEncoding("utf8").on("data", (text: string) => this.#hear("stdout", text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => this.#hear("stderr", text));
    this.ended = new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code, signal) => {
        for (const { pattern, reject } of this.#waiting)
          reject(this.#disappointment(pattern, `ended with ${signal ?? `code ${code}`}`));

        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** The words of its output, without the codes that colour them on a terminal. */
  get words(): string {
    return stripVTControlCharacters(this.output);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Writes to its stdin; a terminal takes it for keys. */
  press(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits until its output has a match at or after `from`. Rejects if it ends first, or takes too long. */
  async says(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    const found = this.#find(pattern, from);
    if (found !== undefined) return found;
    if (!this.running) throw this.#disappointment(pattern, "has ended");
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>();
    const waiting: Waiting = { pattern, from, resolve, reject };
    this.#waiting.add(waiting);
    const timer = setTimeout(() => reject(this.#disappointment(pattern, `took ${PATIENCE_MS} ms`)), PATIENCE_MS);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(waiting);
    }
  }

  #hear(stream: "stdout" | "stderr", text: string): void {
    this[stream] += text;
    this.output += text;
    for (const { pattern, from, resolve } of this.#waiting) {
      const found = this.#find(pattern, from);
      if (found !== undefined) resolve(found);
    }
  }

  #find(pattern: RegExp, from: number): RegExpExecArray | undefined {
    return pattern.exec(this.output.slice(from)) ?? undefined;
  }

  #disappointment(pattern: RegExp, what: string): Error {
    return new Error(`Expected ${String(pattern)} from \`${this.#name}\`; it ${what} and said:\n${this.output}`);
  }
}
