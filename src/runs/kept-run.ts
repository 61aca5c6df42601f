import { LiveHub } from "../live/live-hub.js";
import type { ListedRun, Watched } from "./listed-run.js";
import type { Archived, RunArchive } from "./run-archive.js";
import { resultIn, updateIn, type RunRecord } from "./run-record.js";

/** What the last event of a run says. */
export type BodyOf = (run: ListedRun) => object;

/** A run that has ended, and whose figures are on disk until somebody asks. */
export interface KeptRun extends ListedRun {
  readonly archived: Archived;
}

export function isKept(run: ListedRun): run is KeptRun {
  return "archived" in run;
}

export function keptRun(archived: Archived, archive: RunArchive, bodyOf: BodyOf): KeptRun {
  const { file, head } = archived;
  const run: KeptRun = {
    ...head.facts,
    archived,
    hasEnded: true,
    hasResult: head.hasResult,
    // Undefined also if the file is gone, or was changed by somebody.
    readResult: async () => (head.hasResult ? archive.read(file, (text) => resultIn(text, file)) : undefined),
    cancel: () => {},
    watch: async () => watchedOf(run, archive, bodyOf),
  };
  return run;
}

/** A hub that has ended. It lives as long as its viewer. */
async function watchedOf(run: KeptRun, archive: RunArchive, bodyOf: BodyOf): Promise<Watched> {
  const hub = new LiveHub();
  const update = await archive.read(run.archived.file, updateIn);
  if (update !== undefined) hub.publish(update);
  hub.end({ name: "ended", data: bodyOf(run) });
  return { hub, viewersChanged: () => {} };
}

/** A run whose server ended before it. */
export function cutOff(record: RunRecord): RunRecord {
  const message = "The server ended before the run did. The run then ended by itself, and nobody took its result.";
  const { facts, update } = record;
  return {
    ...record,
    facts: { ...facts, status: "failed", failure: { code: "run-died", message } },
    update: { ...update, phase: { kind: "failed", why: message } },
  };
}
