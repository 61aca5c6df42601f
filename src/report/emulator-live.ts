import { coloursFor } from "./colours.js";
import { fitLine, liveParts, type EmulatorFigures } from "./emulator-live-text.js";
import { takesEscapes, type OutputStream } from "./output-stream.js";

const LOOK_MS = 1_000;
const DEFAULT_COLUMNS = 80;
const TO_START_OF_LINE = "\r";
const CLEAR_TO_END_OF_SCREEN = "\u001B[J";

/**
 * On a terminal that can draw it: one line of what the emulator does, looked at once a second and drawn when it has changed. Anywhere
 * else nothing. Returns what takes the line away again, which may be called more than once.
 */
export function showEmulatorLive(stream: OutputStream, look: () => EmulatorFigures): () => void {
  if (!takesEscapes(stream)) return () => {};
  const colours = coloursFor(stream);
  let before = { figures: look(), atMs: performance.now() };
  let parts = liveParts(before.figures, before.figures, LOOK_MS);
  let drawn = "";

  // The cursor rests at the start of the line: there it stays when a narrower terminal wraps what is drawn, so that
  // clearing all below takes the whole of it away, and the indentation has room for the `^C` that a terminal echoes.
  const draw = (): void => {
    const line = fitLine(parts, stream.columns || DEFAULT_COLUMNS);
    if (line === drawn) return;
    drawn = line;
    stream.write(`${TO_START_OF_LINE}${colours.dim(line)}${CLEAR_TO_END_OF_SCREEN}${TO_START_OF_LINE}`);
  };
  const update = (): void => {
    const now = { figures: look(), atMs: performance.now() };
    parts = liveParts(before.figures, now.figures, now.atMs - before.atMs);
    before = now;
    draw();
  };
  const timer = setInterval(update, LOOK_MS);
  const stop = (): void => {
    clearInterval(timer);
    stream.off("resize", draw);
    process.off("uncaughtExceptionMonitor", stop);
    if (drawn !== "") stream.write(`${TO_START_OF_LINE}${CLEAR_TO_END_OF_SCREEN}`);
    drawn = "";
  };
  stream.on("resize", draw);
  // What is said of an error that ends the process has the line for itself.
  process.once("uncaughtExceptionMonitor", stop);
  draw();
  return stop;
}
