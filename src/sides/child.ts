import { spawn, type ChildProcess } from "node:child_process";

/** The part of a process's output that is kept, in characters. */
const LONGEST_SAID = 20_000;

export type StopSignal = "SIGINT" | "SIGTERM" | "SIGKILL";

/** How a process ended. `said` is the end of its output on the observed stream. */
export interface Ended {
  readonly said: string;
  readonly how:
    | { readonly kind: "exited"; readonly code: number }
    | { readonly kind: "killed"; readonly signal: string }
    | { readonly kind: "not-started"; readonly reason: string };
}

export interface ChildOptions {
  readonly env: NodeJS.ProcessEnv;
  /** The stream that is kept. The other one goes to our own, or nowhere. */
  readonly keeps: "stdout" | "stderr" | "both";
  readonly stderr?: "inherit" | "ignore";
}

/** A process of a side, started without a shell, so that it gets its arguments unchanged. */
export class Child {
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  #said = "";

  constructor([command = "", ...args]: readonly string[], { env, keeps, stderr = "ignore" }: ChildOptions) {
    const child = spawn(command, args, {
      env,
      stdio: ["ignore", keeps === "stderr" ? "ignore" : "pipe", keeps === "stdout" ? stderr : "pipe"],
    });
    this.#process = child;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#said = (this.#said + text).slice(-LONGEST_SAID);
      });
    }
    this.ended = new Promise((resolve) => {
      child.once("error", ({ message }) => resolve({ said: "", how: { kind: "not-started", reason: message } }));
      child.once("close", (code, signal) => {
        const how =
          signal === null ? ({ kind: "exited", code: code ?? 0 } as const) : ({ kind: "killed", signal } as const);
        resolve({ said: this.#said, how });
      });
    });
  }

  stop(signal: StopSignal): void {
    this.#process.kill(signal);
  }
}

export function howText({ how }: Ended): string {
  if (how.kind === "exited") return `ended with exit code ${how.code}`;
  return how.kind === "killed" ? `was ended by ${how.signal}` : `could not be started: ${how.reason}`;
}
