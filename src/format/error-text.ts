import { oneLine } from "./one-line.js";

/** The message of any thrown value, on one line and without control characters, because others may have written it. */
export function errorText(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error));
}
