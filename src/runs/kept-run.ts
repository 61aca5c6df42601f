import { LiveHub } from "../live/live-hub.js";
import type { ListedRun, RunFacts, Watched } from "./listed-run.js";
import type { KeptRecord } from "./kept-record.js";

/** What the last event of a run says. */
export type BodyOf = (run: ListedRun) => object;

/** A run that has ended, and whose figures are text until somebody asks. */
export interface KeptRun extends ListedRun {
  readonly record: KeptRecord;
}

export function isKept(run: ListedRun): run is KeptRun {
  return "record" in run;
}

/** @param record of a run that has ended, by itself or with its server */
export function keptRun(record: KeptRecord, bodyOf: BodyOf): KeptRun {
  const { facts, hasResult } = record.head;
  const run: KeptRun = {
    ...endedFacts(facts),
    record,
    hasEnded: true,
    hasResult,
    // Undefined also if the file is gone, or was changed by somebody.
    readResult: async () => (hasResult ? record.readResult() : undefined),
    openResult: async () => (hasResult ? record.openResult() : undefined),
    cancel: () => {},
    watch: async () => watchedOf(run, bodyOf),
  };
  return run;
}

/** A hub that has ended. It lives as long as its viewer. */
async function watchedOf(run: KeptRun, bodyOf: BodyOf): Promise<Watched> {
  const hub = new LiveHub(run.runId);
  const { record } = run;
  const update = await record.readUpdate();
  if (update !== undefined)
    hub.publish(hasEnd(record.head.facts) ? update : { ...update, phase: { kind: "failed", why: cutOff(run.runId) } });
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
