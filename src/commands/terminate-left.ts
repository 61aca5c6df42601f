import { isEnded } from "../backend/ended-status.js";
import type { OrchestrationClient } from "../backend/orchestration-client.js";
import { errorText } from "../format/error-text.js";
import { formatCount, plural } from "../format/count.js";
import { oneLine, shortened } from "../format/one-line.js";
import { untilTerminated, type Termination } from "../hub/termination.js";
import { instancesOfRun } from "../load/instances-of-run.js";

/** For all calls. */
const PATIENCE_MS = 30_000;
/** For the end of what was terminated: on some backends a worker has to take it up first. */
const END_PATIENCE_MS = 10_000;
/** Of a backend's words, so that the command that follows them is read. */
const MOST_TOLD = 200;

export interface LeftRun {
  readonly runId: string;
  /** Ends what is left, for a person. */
  readonly command: string;
}

/** Terminates what the process of a run left in flight. Resolves with what became of it, and never rejects. */
export async function terminateLeft(
  client: () => Promise<OrchestrationClient>,
  { runId, command }: LeftRun,
): Promise<string> {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  try {
    const orchestrations = await client();
    const left = new Set<string>();
    for await (const [, { instanceId, status }] of instancesOfRun({ client: orchestrations, runId, signal }))
      if (!isEnded(status)) left.add(instanceId);
    const termination = await untilTerminated(orchestrations, [...left], { signal, patienceMs: END_PATIENCE_MS });
    return leftText(termination, command);
  } catch (error) {
    const why = signal.aborted ? `the backend took longer than ${PATIENCE_MS / 1_000} s` : errorText(error);
    return `What it left in flight is not known (${shortened(why, MOST_TOLD)}); to end it: ${command}`;
  }
}

/** `Of its 5 orchestrations in flight, 3 were terminated, 1 ended by itself, and 1 has not ended; to end it: ...` */
export function leftText({ endedAs, ended, unfinished, refusal }: Termination, command: string): string {
  const total = ended.length + unfinished.ids.length;
  const { Terminated: terminated = 0 } = endedAs;
  if (total === 0) return "It left nothing in flight.";
  const inFlight = `${plural(total, "orchestration")} in flight`;
  if (terminated === total) return `Its ${inFlight} ${wereOrWas(total)} terminated.`;
  const others = ended.length - terminated;
  const open = unfinished.ids.length;
  const parts = [
    terminated > 0 && `${formatCount(terminated)} ${wereOrWas(terminated)} terminated`,
    others > 0 && `${formatCount(others)} ended by ${others === 1 ? "itself" : "themselves"}`,
    open > 0 && `${formatCount(open)} ${open === 1 ? "has" : "have"} not ended`,
  ].filter((part) => part !== false);
  const next = open > 0 ? `; to end ${open === 1 ? "it" : "them"}: ${command}` : ".";
  const why = refusal === undefined ? "" : ` (${shortened(oneLine(refusal), MOST_TOLD)})`;
  return `Of its ${inFlight}, ${new Intl.ListFormat("en").format(parts)}${open > 0 ? why : ""}${next}`;
}

function wereOrWas(count: number): string {
  return count === 1 ? "was" : "were";
}
