import { coloursFor } from "./colours.js";
import { fitLine, liveParts, type EmulatorFigures } from "./emulator-live-text.js";
import { LiveBlock } from "./live-block.js";
import { columnsOf, takesEscapes, type OutputStream } from "./output-stream.js";

const LOOK_MS = 1_000;

/** What shows an emulator while it runs. */
export interface EmulatorLive {
  /** Prints a line for a person without disturbing the rest. */
  readonly line: (text: string) => void;
  /** Takes the live line away again. May be called more than once. */
  readonly stop: () => void;
}

/**
 * On a terminal that can draw it: one line of what the emulator does, looked at once a second and drawn when it has
 * changed. Anywhere else nothing.
 */
export function showEmulatorLive(stream: OutputStream, look: () => EmulatorFigures): EmulatorLive {
  if (!takesEscapes(stream)) return { line: (text) => void stream.write(`${text}\n`), stop: () => {} };
  const colours = coloursFor(stream);
  const block = new LiveBlock(stream);
  let before = { figures: look(), atMs: performance.now() };
  let parts = liveParts(before.figures, before.figures, LOOK_MS);
  let drawn: string | undefined;

  const draw = (): void => {
    const line = fitLine(parts, columnsOf(stream));
    if (line === drawn) return;
    drawn = line;
    block.draw([colours.dim(line)]);
  };
  const update = (): void => {
    const now = { figures: look(), atMs: performance.now() };
    parts = liveParts(before.figures, now.figures, now.atMs - before.atMs);
    before = now;
    draw();
  };
  const redraw = (): void => {
    drawn = undefined;
    draw();
  };
  const timer = setInterval(update, LOOK_MS);
  const stop = (): void => {
    clearInterval(timer);
    stream.off("resize", redraw);
    process.off("uncaughtExceptionMonitor", stop);
    process.off("exit", stop);
    block.clear();
  };
  stream.on("resize", redraw);
  // What is said of an error that ends the process has the line for itself, and the cursor is never left hidden.
  process.once("uncaughtExceptionMonitor", stop);
  process.once("exit", stop);
  draw();
  return { line: (text) => block.print(text), stop };
}
