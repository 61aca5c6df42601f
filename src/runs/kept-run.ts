import { LiveHub } from "../live/live-hub.js";
import type { ListedRun, RunFacts, Watched } from "./listed-run.js";
import type { Archived, RunArchive } from "./run-archive.js";

/** What the last event of a run says. */
export type BodyOf = (run: ListedRun) => object;

/** A run that has ended, and whose figures are on disk until somebody asks. */
export interface KeptRun extends ListedRun {
  readonly archived: Archived;
}

export function isKept(run: ListedRun): run is KeptRun {
  return "archived" in run;
}

/** @param archived of a run that has ended, by itself or with its server */
export function keptRun(archived: Archived, archive: RunArchive, bodyOf: BodyOf): KeptRun {
  const { head } = archived;
  const run: KeptRun = {
    ...endedFacts(head.facts),
    archived,
    hasEnded: true,
    hasResult: head.hasResult,
    // Undefined also if the file is gone, or was changed by somebody.
    readResult: async () => (head.hasResult ? archive.readResult(archived) : undefined),
    cancel: () => {},
    watch: async () => watchedOf(run, archive, bodyOf),
  };
  return run;
}

/** A hub that has ended. It lives as long as its viewer. */
async function watchedOf(run: KeptRun, archive: RunArchive, bodyOf: BodyOf): Promise<Watched> {
  const hub = new LiveHub(run.runId);
  const { file, head } = run.archived;
  const update = await archive.readUpdate(file);
  if (update !== undefined)
    hub.publish(hasEnd(head.facts) ? update : { ...update, phase: { kind: "failed", why: cutOff(run.runId) } });
  hub.end({ name: "ended", data: bodyOf(run) });
  return { hub, viewersChanged: () => {} };
}

/** A run whose server is killed ends by itself, unless it is killed with it, as in a container. */
function cutOff(runId: string): string {
  return (
    "The server ended before the run did, and nobody took its result. What became of its orchestrations is not known: " +
    `\`fanout status --run ${runId}\` tells, and \`fanout terminate --run ${runId}\` ends those in flight.`
  );
}

/** A record without an end is that of a run that the end of its server cut off. It stays as it is on disk. */
function endedFacts(facts: RunFacts): RunFacts {
  return hasEnd(facts)
    ? facts
    : { ...facts, status: "failed", failure: { code: "run-died", message: cutOff(facts.runId) } };
}

function hasEnd({ endedAt }: RunFacts): boolean {
  return endedAt !== undefined;
}
