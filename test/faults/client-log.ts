import { appendFileSync, existsSync, readFileSync } from "node:fs";
import type { Script } from "./scripts.js";

/** A step of a script: `HUB/INSTANCE#PLACE`. */
export type StepKey = string;

export interface ClientLog {
  /** How often each step was asked for. */
  readonly asked: ReadonlyMap<StepKey, number>;
  /** What each was answered that was acknowledged; "" for an answer that says nothing. */
  readonly acknowledged: ReadonlyMap<StepKey, string>;
  /** Lines of the log: where a step was first asked for, and where it was acknowledged. */
  readonly askedAt: ReadonlyMap<StepKey, number>;
  readonly acknowledgedAt: ReadonlyMap<StepKey, number>;
  /** Answers that no client may get. */
  readonly violations: readonly string[];
}

/**
 * What clients write down, one line each, before they ask and when they are answered: what a killed process has written
 * is in the file, since the kernel has it.
 */
export class ClientLogFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  ask(key: StepKey): void {
    appendFileSync(this.#file, `ask ${key}\n`);
  }

  acknowledge(key: StepKey, answer: string): void {
    appendFileSync(this.#file, `ack ${key} ${answer}\n`);
  }

  violation(text: string): void {
    appendFileSync(this.#file, `bad ${text.replaceAll("\n", " ")}\n`);
  }

  read(): ClientLog {
    const asked = new Map<StepKey, number>();
    const acknowledged = new Map<StepKey, string>();
    const askedAt = new Map<StepKey, number>();
    const acknowledgedAt = new Map<StepKey, number>();
    const violations: string[] = [];
    const lines = existsSync(this.#file) ? readFileSync(this.#file, "utf8").split("\n") : [];
    for (const [at, line] of lines.entries()) {
      const [what, key = "", answer = ""] = line.split(" ");
      if (what === "ask") {
        asked.set(key, (asked.get(key) ?? 0) + 1);
        if (!askedAt.has(key)) askedAt.set(key, at);
      } else if (what === "ack") {
        acknowledged.set(key, answer);
        acknowledgedAt.set(key, at);
      } else if (what === "bad") {
        violations.push(line.slice(4));
      }
    }
    return { asked, acknowledged, askedAt, acknowledgedAt, violations };
  }
}

export function keyOf({ hub, instanceId }: Pick<Script, "hub" | "instanceId">, place: number): StepKey {
  return `${hub}/${instanceId}#${place}`;
}
