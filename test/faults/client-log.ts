import { appendFileSync, existsSync, readFileSync } from "node:fs";

/** A step of a script: `INSTANCE#PLACE`. */
export type StepKey = string;

export interface ClientLog {
  /** How often each step was asked for. */
  readonly asked: ReadonlyMap<StepKey, number>;
  readonly acknowledged: ReadonlySet<StepKey>;
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

  acknowledge(key: StepKey): void {
    appendFileSync(this.#file, `ack ${key}\n`);
  }

  violation(text: string): void {
    appendFileSync(this.#file, `bad ${text.replaceAll("\n", " ")}\n`);
  }

  read(): ClientLog {
    const asked = new Map<StepKey, number>();
    const acknowledged = new Set<StepKey>();
    const violations: string[] = [];
    for (const line of existsSync(this.#file) ? readFileSync(this.#file, "utf8").split("\n") : []) {
      const rest = line.slice(4);
      if (line.startsWith("ask ")) asked.set(rest, (asked.get(rest) ?? 0) + 1);
      if (line.startsWith("ack ")) acknowledged.add(rest);
      if (line.startsWith("bad ")) violations.push(rest);
    }
    return { asked, acknowledged, violations };
  }
}

export function keyOf(instanceId: string, place: number): StepKey {
  return `${instanceId}#${place}`;
}
