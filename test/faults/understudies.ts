import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** How long a connection may be silent here: half a minute in the product, which no test waits for. */
export const SILENCE_MS = 900;

/** A process of a test, and what it has said. */
export interface Actor {
  readonly child: ChildProcess;
  readonly said: string[];
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
}

export type Role = "emulator" | "worker" | "client";

export interface ActorOptions {
  readonly argument?: string;
  readonly env?: NodeJS.ProcessEnv;
}

/** What is kept of what a process says. */
const MOST_LINES = 40;

/** Starts a process of that role; it says `ready` when it is. */
export function startActor(role: Role, { argument, env = {} }: ActorOptions = {}): Actor {
  const file = fileURLToPath(new URL(`./${role}-main.ts`, import.meta.url));
  const preload = new URL("./preload.ts", import.meta.url).href;
  const child = fork(file, argument === undefined ? [] : [argument], {
    env: { PATH: process.env["PATH"], FAULT_SILENCE_MS: String(SILENCE_MS), ...env },
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: ["--import", preload],
  });
  const said: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said.push(...text.trimEnd().split("\n"));
    said.splice(0, said.length - MOST_LINES);
  });
  const ended = once(child, "close").then(() => {});
  return { child, said, ended };
}

/** Resolves with true once it is ready, with false if it ends before. */
export async function isReady({ child, ended }: Actor): Promise<boolean> {
  return await Promise.race([once(child, "message").then(() => true), ended.then(() => false)]);
}

/** Processes that have started and wait for a part, so that one that was killed is replaced at once. */
export class Understudies {
  readonly #waiting = new Map<Role, Promise<Actor>[]>();
  readonly #most: Readonly<Partial<Record<Role, number>>>;

  constructor(most: Readonly<Partial<Record<Role, number>>>) {
    this.#most = most;
    for (const role of Object.keys(most) as Role[]) {
      this.#waiting.set(role, []);
      this.#fill(role);
    }
  }

  async take(role: Role): Promise<Actor> {
    const actor = this.#waiting.get(role)?.shift() ?? ready(role);
    this.#fill(role);
    return await actor;
  }

  async close(): Promise<void> {
    for (const actor of [...this.#waiting.values()].flat()) (await actor).child.kill("SIGKILL");
  }

  #fill(role: Role): void {
    const waiting = this.#waiting.get(role) ?? [];
    while (waiting.length < (this.#most[role] ?? 0)) waiting.push(ready(role));
  }
}

async function ready(role: Role): Promise<Actor> {
  const actor = startActor(role);
  if (!(await isReady(actor))) throw new Error(`The ${role} ended before it was ready: ${actor.said.join("\n")}`);

  return actor;
}
