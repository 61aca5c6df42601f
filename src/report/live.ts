import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { LiveBars } from "./live-bars.js";
import { LiveLines } from "./live-lines.js";
import type { LiveView } from "./live-view.js";
import { takesEscapes, type OutputStream } from "./output-stream.js";

/** Bars on a capable terminal, and a line every few seconds elsewhere. */
export function liveView(stream: OutputStream, snapshot: () => LiveSnapshot): LiveView {
  return takesEscapes(stream) ? new LiveBars(stream, snapshot) : new LiveLines(stream, snapshot);
}
