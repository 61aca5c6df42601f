import { coloursFor } from "./colours.js";
import { fitLine, liveParts, type EmulatorFigures } from "./emulator-live-text.js";
import { LiveBlock } from "./live-block.js";
import { columnsOf, takesEscapes, type OutputStream } from "./output-stream.js";

const LOOK_MS = 1_000;

/** The live view of an emulator. */
export interface EmulatorLive {
  /** Prints a line for a person without disturbing the view. */
  readonly line: (text: string) => void;
  /** Removes the live line. May be called more than once. */
  readonly stop: () => void;
}

/**
 * On a capable terminal, shows one line with the work of the emulator. The line is updated once a second if it has
 * changed. On any other stream it shows nothing.
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
  // The error that ends the process gets a line of its own, and the cursor is never left hidden.
  process.once("uncaughtExceptionMonitor", stop);
  process.once("exit", stop);
  draw();
  return { line: (text) => block.print(text), stop };
}
