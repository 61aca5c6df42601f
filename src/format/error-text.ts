import { oneLine } from "./one-line.js";

/** What an error says, whatever was thrown, on one line and fit for a terminal: others may have put it there. */
export function errorText(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
