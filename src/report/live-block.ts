import { textWidth, wrapped } from "../format/wrap.js";
import { columnsOf, rowsOf, type OutputStream } from "./output-stream.js";

const TO_START_OF_LINE = "\r";
const CLEAR_TO_END_OF_LINE = "\u001B[K";
const CLEAR_TO_END_OF_SCREEN = "\u001B[J";
const RIGHT = "\u001B[1C";
const CURSOR = { show: "\u001B[?25h", hide: "\u001B[?25l" };
/** When wrapping is off, a terminal cuts a line that is too wide. */
const WRAPPING = { on: "\u001B[?7h", off: "\u001B[?7l" };

/**
 * Lines at the bottom of a terminal that are drawn repeatedly, below everything that is printed meanwhile.
 * | The cursor rests at the start of the first line. It stays there when the terminal becomes narrower, whether the
 * terminal wraps or cuts the lines. Clearing everything below it therefore removes all of them.
 */
export class LiveBlock {
  readonly #stream: OutputStream;
  readonly #cursorSinks: boolean;
  #lines: readonly string[] = [];
  #isShown = false;

  constructor(stream: OutputStream, env: NodeJS.ProcessEnv = process.env) {
    this.#stream = stream;
    this.#cursorSinks = cursorSinks(env);
  }

  /**
   * Draws lines in place of the earlier ones. They must be narrower than the terminal. If there are too many for its
   * rows, the first ones are shown.
   */
  draw(lines: readonly string[]): void {
    this.#write([], lines);
  }

  /** Prints a line above, and wraps it if it is too long. */
  print(line: string): void {
    const lines = wrapped(line, columnsOf(this.#stream));
    if (this.#isShown) this.#write(lines, this.#lines);
    else this.#stream.write(lines.map((text) => `${text}\n`).join(""));
  }

  /** Restores the terminal. */
  clear(): void {
    if (!this.#isShown) return;
    // Not from the first column: if that is the first one of the screen, tmux would move all of it to its history.
    const below = RIGHT + CLEAR_TO_END_OF_SCREEN + TO_START_OF_LINE;
    this.#stream.write(this.#toStart() + below + CLEAR_TO_END_OF_LINE + CURSOR.show);
    this.#lines = [];
    this.#isShown = false;
  }

  #write(printed: readonly string[], lines: readonly string[]): void {
    const toStart = this.#toStart();
    const hide = this.#isShown ? "" : CURSOR.hide;
    this.#lines = lines.slice(0, rowsOf(this.#stream) - 1);
    this.#isShown = true;
    const above = printed.map((line) => `${line}${CLEAR_TO_END_OF_LINE}\r\n`).join("");
    const block = this.#lines.map((line) => line + CLEAR_TO_END_OF_LINE).join("\r\n");
    const back = up(this.#lines.length - 1) + TO_START_OF_LINE;
    this.#stream.write(hide + toStart + above + WRAPPING.off + block + CLEAR_TO_END_OF_SCREEN + WRAPPING.on + back);
  }

  #toStart(): string {
    const sunk = this.#cursorSinks ? rowsSunk(this.#lines.map(textWidth), columnsOf(this.#stream)) : 0;
    return up(sunk) + TO_START_OF_LINE;
  }
}

/**
 * Whether a terminal that becomes narrower also moves its cursor down for the rows that it adds below it. xterm.js
 * does, in the terminal of Visual Studio Code. On Windows it leaves wrapping to the system.
 */
function cursorSinks({ TERM_PROGRAM }: NodeJS.ProcessEnv): boolean {
  return TERM_PROGRAM === "vscode" && process.platform !== "win32";
}

/**
 * How far the cursor of xterm.js has moved from the first line, on a terminal that is now `columns` wide. From the last
 * line upwards it moves down by each added row, except for the row of the line that it is on.
 */
function rowsSunk(widths: readonly number[], columns: number): number {
  return widths.reduceRight((sunk, width, line) => {
    const added = Math.max(0, Math.ceil(width / columns) - 1);
    return line === sunk ? sunk : sunk + added;
  }, 0);
}

function up(rows: number): string {
  return rows > 0 ? `\u001B[${rows}A` : "";
}
