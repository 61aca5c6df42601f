import { setTimeout as sleep } from "node:timers/promises";
import { errorText } from "../format/error-text.js";
import { RepeatedLines } from "../format/repeated-lines.js";
import type { Progress } from "./progress.js";

const FOLLOW_AGAIN_MS = 1_000;

/** Follows a run until the signal aborts. An error costs a moment of progress, and is told. */
export async function followProgress(
  progress: Progress,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<void> {
  const repeated = new RepeatedLines(onLine);
  while (!signal.aborted) {
    try {
      await progress.follow(signal);
    } catch (error) {
      if (signal.aborted) return;
      repeated.add(`progress is unknown at the moment: ${errorText(error)}`);
    }
    await sleep(FOLLOW_AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}
