import type { ChalkInstance } from "chalk";
import cliProgress from "cli-progress";
import { formatCount } from "../format/count.js";
import { wrapped } from "../format/wrap.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { coloursFor } from "./colours.js";
import { LiveBlock } from "./live-block.js";
import { elapsedText, latencyText, loadText, ratesText, troubleText } from "./live-text.js";
import type { LiveView } from "./live-view.js";
import { columnsOf, type OutputStream } from "./output-stream.js";
import { RateWindow } from "./rate-window.js";

const UPDATES_PER_SECOND = 5;
const RATE_WINDOW_MS = 3_000;
const NAME_WIDTH = "orchestrations".length;
const WIDEST_BAR = 40;
const NARROWEST_BAR = 4;

/**
 * The live view on a terminal: a bar for orchestrations and one for known activities, or one for the time of the load.
 * Lines below show counts, rates, latency and a stall.
 */
export class LiveBars implements LiveView {
  readonly #colours: ChalkInstance;
  readonly #block: LiveBlock;
  readonly #rate = new RateWindow(RATE_WINDOW_MS);
  readonly #draw = (): void => this.#block.draw(this.#lines());
  readonly #restore = (): void => this.stop();
  #timer: NodeJS.Timeout | undefined;
  /** The rate of activities in the last seconds. */
  #ratePerSecond: number | undefined;

  constructor(
    readonly stream: OutputStream,
    readonly snapshot: () => LiveSnapshot,
    env: NodeJS.ProcessEnv = process.env,
  ) {
    this.#colours = coloursFor(stream);
    this.#block = new LiveBlock(stream, env);
  }

  start(): void {
    this.#timer = setInterval(() => this.#update(), 1_000 / UPDATES_PER_SECOND);
    this.stream.on("resize", this.#draw);
    // Signals and errors that end the process pass here too, so that the cursor is never left hidden.
    process.once("exit", this.#restore);
    this.#update();
  }

  line(text: string): void {
    this.#block.print(text);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.stream.off("resize", this.#draw);
    process.off("exit", this.#restore);
    this.#block.clear();
  }

  #update(): void {
    const { elapsedMs, activities } = this.snapshot();
    this.#ratePerSecond = this.#rate.add(elapsedMs, activities.completed);
    this.#draw();
  }

  #lines(): readonly string[] {
    // A terminal may wrap a line that fills it.
    const width = columnsOf(this.stream) - 1;
    const snapshot = this.snapshot();
    const { dim, yellow } = this.#colours;
    const rates = [elapsedText(snapshot.elapsedMs), ratesText(snapshot, this.#ratePerSecond)];
    const texts = [
      { text: loadText(snapshot), colour: dim },
      { text: rates.filter((part) => part !== undefined).join("   "), colour: dim },
      { text: latencyText(snapshot), colour: dim },
      { text: troubleText(snapshot), colour: yellow },
    ];
    return [
      ...barLines(tracksOf(snapshot), width, this.#colours),
      ...texts.flatMap(({ text, colour }) =>
        text === undefined ? [] : wrapped(text, width).map((line) => colour(line)),
      ),
    ];
  }
}

/** The progress of one quantity. */
export interface Track {
  readonly name: string;
  readonly total: number;
  readonly done: number;
}

/** The quantities with a bar. */
function tracksOf({ elapsedMs, lengthMs, orchestrations, activities }: LiveSnapshot): readonly Track[] {
  if (lengthMs !== undefined) {
    const total = Math.ceil(lengthMs / 1_000);
    return [{ name: "seconds", total, done: Math.min(total, Math.floor(elapsedMs / 1_000)) }];
  }
  const first = { name: "orchestrations", total: orchestrations.total, done: orchestrations.ended };
  if (activities.total === 0) return [first];
  return [first, { name: "activities", total: activities.total, done: activities.completed }];
}

/** `activities      ████████░░░░  12,345 / 20,000   61 %`, all of equal length and at most `width` columns wide. */
export function barLines(tracks: readonly Track[], width: number, colours: ChalkInstance): readonly string[] {
  const digits = Math.max(...tracks.map(({ total }) => formatCount(total).length));
  return tracks.map((track) => barLine(track, digits, width, colours));
}

function barLine({ name, total, done }: Track, digits: number, width: number, colours: ChalkInstance): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const counts = `${formatCount(done).padStart(digits)} / ${formatCount(total).padStart(digits)}`;
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  const head = `${name.padEnd(NAME_WIDTH)}  `;
  const room = Math.min(WIDEST_BAR, width - head.length - counts.length - percent.length - 4);
  if (room < NARROWEST_BAR) return fitting([name, counts.trim(), percent.trim()], width);
  return `${head}${barOf(share, room, colours)}  ${counts}  ${percent}`;
}

/** Separates the two parts of a bar, which have different colours. */
const GLUE = "|";

function barOf(share: number, room: number, colours: ChalkInstance): string {
  // Rounded down: a full bar means that everything is done.
  const drawn = cliProgress.Format.BarFormat(Math.floor(share * room) / room, {
    barsize: room,
    barCompleteString: "█".repeat(room),
    barIncompleteString: "░".repeat(room),
    barGlue: GLUE,
  });
  const [done = "", left = ""] = drawn.split(GLUE);
  return colours.cyan(done) + colours.dim(left);
}

/** The first parts that fit. None is cut, because the first digits of a count look like a count. */
function fitting(parts: readonly string[], width: number): string {
  const [first = "", ...rest] = parts;
  return rest.reduce(
    (line, part) => (line.length + 2 + part.length <= width ? `${line}  ${part}` : line),
    first.slice(0, width),
  );
}
