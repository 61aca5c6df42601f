/** Prints a line for each check, and counts them. */
export class Tally {
  passed = 0;
  failed = 0;
  skipped = 0;

  /** Takes in a check of a subject; `reason` says why it was skipped, or what was found instead. */
  add(outcome: "ok" | "not ok" | "skip", subject: string, check: string, reason?: string): void {
    if (outcome === "ok") this.passed += 1;
    else if (outcome === "skip") this.skipped += 1;
    else this.failed += 1;
    console.log(`${outcome.padEnd(6)} ${subject}: ${check}${reason === undefined ? "" : ` (${reason})`}`);
  }

  get summary(): string {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped} skipped`;
  }
}
