import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { wrapped } from "../format/wrap.js";
import { levelText } from "../result/capacity-level.js";
import type { CapacityProbe } from "../result/capacity-schema.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { LiveBlock } from "./live-block.js";
import { columnsOf, takesEscapes, type OutputStream } from "./output-stream.js";
import { styleFor } from "./text-style.js";

const COLUMNS = [3, 9, 14, 12, 10, 10] as const;
const PERCENTILES = ["p99", "p95", "p90", "max"] as const;

/** The probe that runs now. */
interface Running extends Pick<CapacityProbe, "number" | "purpose" | "level"> {}

/** The table of probes while a search runs: a row for each that has ended, and on a terminal the one that runs. */
export class CapacityView {
  readonly #block: LiveBlock | undefined;
  readonly #restore = (): void => this.stop();
  #running: Running | undefined;
  #hasHead = false;

  constructor(
    readonly stream: OutputStream,
    readonly load: "open" | "closed",
  ) {
    this.#block = takesEscapes(stream) ? new LiveBlock(stream) : undefined;
    // Signals and errors that end the process pass here too, so that the cursor is never left hidden.
    process.once("exit", this.#restore);
  }

  begin(running: Running): void {
    this.#running = running;
  }

  progress({ elapsedMs, lengthMs = 0, orchestrations, own }: LiveSnapshot): void {
    if (!this.#block || !this.#running) return;
    const { number, purpose, level } = this.#running;
    const text = [
      `probe ${number}, ${purpose} at ${this.#levelOf({ purpose, level })}: ${seconds(elapsedMs)} of ${seconds(lengthMs)}`,
      `${formatCount(orchestrations.started)} started`,
      `${formatCount(own?.inFlight ?? 0)} in flight`,
    ].join(", ");
    this.#block.draw(wrapped(text, columnsOf(this.stream) - 1));
  }

  end(probe: CapacityProbe): void {
    if (!this.#hasHead) this.line(rowOf(["#", "purpose", "level", "completed", "p50", "p99", "outcome"]));
    this.#hasHead = true;
    this.line(probeRow(probe, this.load));
  }

  /** Prints a line for a person above the view. */
  line(text: string): void {
    if (this.#block) this.#block.print(text);
    else this.stream.write(`${wrapped(text, styleFor(this.stream).columns).join("\n")}\n`);
  }

  /** Restores the terminal. May be called more than once. */
  stop(): void {
    process.off("exit", this.#restore);
    this.#block?.clear();
  }

  #levelOf({ purpose, level }: Pick<CapacityProbe, "purpose" | "level">): string {
    return levelText(level, purpose === "calibrate" ? "closed" : this.load);
  }
}

/** `  3  bisect       342.1/s       340/s  12.3 ms  45.6 ms  missed: p99<40ms missed` */
function probeRow(probe: CapacityProbe, load: "open" | "closed"): string {
  const { number, purpose, level, completedPerSecond, latencyMs } = probe;
  const tail = PERCENTILES.find((name) => latencyMs?.[name] !== undefined);
  const outcome = purpose === "calibrate" ? "" : outcomeText(probe);
  return rowOf([
    number.toString(),
    purpose,
    levelText(level, purpose === "calibrate" ? "closed" : load),
    completedPerSecond === undefined ? "" : formatRate(completedPerSecond),
    latencyMs?.p50 === undefined ? "" : formatDuration(latencyMs.p50),
    tail === undefined ? "" : `${formatDuration(latencyMs![tail]!)}${tail === "p99" ? "" : ` ${tail}`}`,
    outcome,
  ]);
}

/** `held`, `missed: p99<2s missed, 3.4 s` */
export function outcomeText({ outcome, reason, objectives, left }: CapacityProbe): string {
  const values = objectives.filter(({ passed, value }) => !passed && value !== undefined);
  const what = reason ?? values.map(({ expression }) => expression).join(", ");
  const rest = left > 0 ? `; ${formatCount(left)} had not ended when the next probe began` : "";
  return (outcome === "held" ? outcome : `${outcome}: ${what}`) + rest;
}

function rowOf(cells: readonly string[]): string {
  const padded = COLUMNS.map((width, column) =>
    column === 1 ? (cells[column] ?? "").padEnd(width) : (cells[column] ?? "").padStart(width),
  );
  return [...padded, ...cells.slice(COLUMNS.length)].join("  ").trimEnd();
}

/** Whole seconds, because digits that change with every update distract. */
function seconds(ms: number): string {
  return formatDuration(Math.round(ms / 1_000) * 1_000).replace(/^0 ms$/u, "0 s");
}
