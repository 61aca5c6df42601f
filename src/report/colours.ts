import { Chalk, type ChalkInstance } from "chalk";

/** Colours for a terminal that supports them, unless NO_COLOR is set. */
export function coloursFor(stream: { readonly isTTY?: boolean; getColorDepth?(): number }): ChalkInstance {
  const depth = stream.isTTY ? (stream.getColorDepth?.() ?? 1) : 1;
  return new Chalk({ level: depth > 1 ? 1 : 0 });
}
