/** Every seed begins then. */
export const START_MS = Date.UTC(2026, 0, 1);

/** Execution ids, and what is named after them, are the only thing of a seed that differs from run to run. */
const DRAWN_ID = /[0-9a-f]{32}/gu;

/** What happened in one seed, what of it is wrong, and how often each thing was. */
export class Trace {
  readonly faults: string[] = [];
  readonly counts = new Map<string, number>();
  readonly #lines: string[] = [];
  readonly #names = new Map<string, string>();

  /** `what` is counted; the details are for the reader alone. */
  note(what: string, details = ""): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    this.#lines.push(this.#named(`${Date.now() - START_MS} ms: ${what} ${details}`.trimEnd()));
  }

  fault(fault: string): void {
    this.faults.push(this.#named(fault));
    this.#lines.push(this.#named(`FAULT ${fault}`));
  }

  get told(): string {
    return this.#lines.join("\n");
  }

  #named(line: string): string {
    return line.replace(DRAWN_ID, (id) => {
      const name = this.#names.get(id) ?? `x${this.#names.size + 1}`;
      this.#names.set(id, name);
      return name;
    });
  }
}
