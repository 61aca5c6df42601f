import type { History } from "./critical-path.js";

/**
 * From the start of an execution until its first episode had asked for what it asks for, microseconds: what each more
 * execution costs at least. Undefined where it asks for nothing.
 */
export function firstEpisodeUs(history: History): number | undefined {
  let startedUs: number | undefined;
  let askedUs: number | undefined;
  let episodes = 0;
  for (const moment of history) {
    if (moment.kind === "orchestrator-started") episodes += 1;
    if (episodes > 1) break;
    if (moment.kind === "execution-started") startedUs ??= moment.atUs;
    if (moment.kind === "asked") askedUs = moment.atUs;
  }
  return startedUs === undefined || askedUs === undefined ? undefined : Math.max(0, askedUs - startedUs);
}
