import type { ChalkInstance } from "chalk";
import cliProgress, { type MultiBar, type Params, type SingleBar } from "cli-progress";
import { formatCount } from "../format/count.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { coloursFor } from "./colours.js";
import { elapsedText, latencyText, loadText, ratesText, stallText } from "./live-text.js";
import type { LiveView } from "./live-view.js";
import type { OutputStream } from "./output-stream.js";
import { RateWindow } from "./rate-window.js";

const UPDATES_PER_SECOND = 5;
const RATE_WINDOW_MS = 3_000;
const CLEAR_TO_END_OF_LINE = "\u001B[K";
/** The bars are drawn on a terminal that cuts long lines; what a person is told has to wrap. */
const WRAP = { on: "\u001B[?7h", off: "\u001B[?7l" };
const NAME_WIDTH = "orchestrations".length;
const WIDEST_BAR = 40;

type Footer = "load" | "rates" | "latency" | "stall";

interface BarPayload {
  /** Which line of text below the bars this is, instead of a bar. */
  readonly footer?: Footer;
  readonly name: string;
  /** Columns for a count, so that the bars are equally long. */
  readonly digits: number;
}

/**
 * On a terminal: a bar for orchestrations and one for activities where they are known, or one for the time that bounds
 * the load; below them lines of counts, rates and latency, and of a stall.
 */
export class LiveBars implements LiveView {
  readonly #colours: ChalkInstance;
  readonly #rate = new RateWindow(RATE_WINDOW_MS);
  readonly #restore = (): void => this.stop();
  #bars: { readonly all: MultiBar; readonly each: readonly SingleBar[]; readonly timer: NodeJS.Timeout } | undefined;
  #footer: Readonly<Record<Footer, string>> = { load: "", rates: "", latency: "", stall: "" };

  constructor(
    readonly stream: OutputStream,
    readonly snapshot: () => LiveSnapshot,
  ) {
    this.#colours = coloursFor(stream);
  }

  start(): void {
    const all = new cliProgress.MultiBar({
      stream: this.stream,
      fps: UPDATES_PER_SECOND,
      hideCursor: true,
      clearOnComplete: true,
      // A line printed above moves the bars down: one that has not changed must be drawn all the same.
      forceRedraw: true,
      format: (_options, params, payload: BarPayload) => this.#format(params, payload),
    });
    const tracks = tracksOf(this.snapshot());
    const digits = formatCount(Math.max(...tracks.map(({ total }) => total))).length;
    const each = tracks.map(({ name, total }) => all.create(total, 0, { name, digits } satisfies BarPayload));
    for (const footer of this.#footers()) all.create(0, 0, { name: "", digits, footer } satisfies BarPayload);
    const timer = setInterval(() => this.#update(), 1_000 / UPDATES_PER_SECOND);
    this.#bars = { all, each, timer };
    // Signals and errors that end the process pass here too: the cursor is never left hidden.
    process.once("exit", this.#restore);
    this.#update();
    all.update();
  }

  line(text: string): void {
    if (!this.#bars) {
      this.stream.write(`${text}\n`);
      return;
    }
    this.#bars.all.log(`${WRAP.on}${text}${CLEAR_TO_END_OF_LINE}${WRAP.off}\n`);
    this.#bars.all.update();
  }

  stop(): void {
    if (!this.#bars) return;
    const { all, timer } = this.#bars;
    this.#bars = undefined;
    clearInterval(timer);
    process.off("exit", this.#restore);
    all.stop();
  }

  #update(): void {
    const snapshot = this.snapshot();
    const rate = this.#rate.add(snapshot.elapsedMs, snapshot.activities.completed);
    const rates = [elapsedText(snapshot.elapsedMs), ratesText(snapshot, rate)];
    this.#footer = {
      load: loadText(snapshot) ?? "",
      rates: rates.filter((part) => part !== undefined).join("   "),
      latency: latencyText(snapshot) ?? "",
      stall: stallText(snapshot) ?? "",
    };
    for (const [index, { total, done }] of tracksOf(snapshot).entries()) {
      const bar = this.#bars?.each[index];
      // Totals grow where somebody else's run is watched that still starts orchestrations.
      bar?.setTotal(total);
      bar?.update(done);
    }
  }

  #footers(): readonly Footer[] {
    const { lengthMs, orchestrations, own } = this.snapshot();
    return [
      ...(lengthMs === undefined ? [] : (["load"] as const)),
      "rates",
      ...(orchestrations.total === 1 ? [] : (["latency"] as const)),
      ...(own ? (["stall"] as const) : []),
    ];
  }

  #format(params: Params, payload: BarPayload): string {
    const width = params.maxWidth - 1;
    if (payload.footer) {
      const colour = payload.footer === "stall" ? this.#colours.yellow : this.#colours.dim;
      return colour(this.#footer[payload.footer].slice(0, width));
    }
    return barLine(payload, params, width, this.#colours);
  }
}

interface Track {
  readonly name: string;
  readonly total: number;
  readonly done: number;
}

/** What there are bars for. */
function tracksOf({ elapsedMs, lengthMs, orchestrations, activities }: LiveSnapshot): readonly [Track, ...Track[]] {
  if (lengthMs !== undefined) {
    const total = Math.ceil(lengthMs / 1_000);
    return [{ name: "seconds", total, done: Math.min(total, Math.floor(elapsedMs / 1_000)) }];
  }
  const first = { name: "orchestrations", total: orchestrations.total, done: orchestrations.ended };
  if (activities.total === 0) return [first];
  return [first, { name: "activities", total: activities.total, done: activities.completed }];
}

/** `activities      ████████░░░░  12,345 / 20,000   61 %`, at most `width` columns wide. */
export function barLine(
  { name, digits }: BarPayload,
  { value, total, progress }: Pick<Params, "value" | "total" | "progress">,
  width: number,
  colours: ChalkInstance,
): string {
  const counts = `${formatCount(value).padStart(digits)} / ${formatCount(total).padStart(digits)}`;
  const percent = `${Math.floor(progress * 100)} %`.padStart(5);
  const head = `${name.padEnd(NAME_WIDTH)}  `;
  const room = Math.min(WIDEST_BAR, width - head.length - counts.length - percent.length - 4);
  if (room < 4) return `${head}${counts}${percent}`.slice(0, width);
  const done = Math.floor(progress * room);
  const bar = colours.cyan("█".repeat(done)) + colours.dim("░".repeat(room - done));
  return `${head}${bar}  ${counts}  ${percent}`;
}
