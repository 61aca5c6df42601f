import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import type { LiveUpdate } from "./live-update.js";

/** The answer to the question of a load test, as far as it is known: does it hold? */
export interface Headline {
  readonly tone: "good" | "bad" | "doubt" | "neutral";
  /** Changes only when the answer does, so that a screen reader does not repeat it. */
  readonly text: string;
  /** Figures of this moment. */
  readonly detail: string;
}

/** The gravest thing comes first. */
export function headlineOf(update: LiveUpdate): Headline {
  return { ...answerOf(update), detail: detailOf(update) };
}

function answerOf({ phase, snapshot, stalls, thresholds, verdict }: LiveUpdate): Omit<Headline, "detail"> {
  if (phase.kind === "failed") return { tone: "bad", text: "The run failed" };
  if (phase.kind === "ended") return { tone: "neutral", text: "The run has ended" };
  if (phase.kind === "ending") return { tone: "doubt", text: "The run is being ended" };
  if (phase.kind === "waiting") return { tone: "neutral", text: "Waiting for the first start" };
  const forGood = thresholds.filter(({ state }) => state === "missed-for-good");
  if (forGood.length > 0) return { tone: "bad", text: `Does not hold: ${plural(forGood.length, "threshold")} missed` };
  if (snapshot.outage) return { tone: "bad", text: "The backend is away" };
  if (stalls.at(-1)?.open === true) return { tone: "bad", text: "Stalled: nothing completes" };
  const { failed = 0 } = snapshot.own ?? {};
  const missed = thresholds.filter(({ state }) => state === "missed");
  if (missed.length > 0)
    return { tone: "bad", text: `Does not hold so far: ${plural(missed.length, "threshold")} missed` };
  if (verdict?.status === "invalid")
    return { tone: "doubt", text: "Invalid so far: the load generator is not healthy" };
  if (failed > 0) return { tone: "bad", text: "Orchestrations fail" };
  const open = thresholds.filter(({ state }) => state === "open");
  if (thresholds.length > open.length && thresholds.length > 0)
    return { tone: "good", text: open.length === 0 ? "Holds so far" : "Holds so far, as far as it can be judged" };
  return { tone: "neutral", text: "Running" };
}

function detailOf({ phase, snapshot, stalls, lines = [] }: LiveUpdate): string {
  if (phase.kind === "failed" || phase.kind === "ending") return phase.why;
  if (phase.kind === "ended")
    return phase.report === undefined ? (phase.why ?? "The report is being written.") : "The report is ready.";
  // It says what it waits for.
  if (phase.kind === "waiting") return lines.at(-1) ?? "";
  const { orchestrations, lengthMs, elapsedMs, own, outage } = snapshot;
  const stall = stalls.at(-1);
  const ended = formatCount(orchestrations.ended);
  const parts = [
    lengthMs === undefined
      ? `${ended} of ${plural(orchestrations.total, "orchestration")} ended after ${secondsText(elapsedMs)}`
      : elapsedMs < lengthMs
        ? `${secondsText(elapsedMs)} of ${formatDuration(lengthMs)}`
        : `all starts were sent, ${formatCount(own?.inFlight ?? 0)} still in flight after ${secondsText(elapsedMs)}`,
    outage && `no call has been answered for ${formatDuration(outage.lengthMs)}`,
    stall?.open === true && `nothing has completed for ${formatDuration(stall.lengthMs)}`,
    own && own.failed > 0 && `${formatCount(own.failed)} failed`,
    own && own.heldBack > 0 && `${formatCount(own.heldBack)} held back`,
  ];
  return parts.filter((part) => part !== false && part !== undefined).join(", ");
}

/** Whole seconds: digits that change each time distract. */
function secondsText(ms: number): string {
  return ms < 1_000 ? "0 s" : formatDuration(Math.round(ms / 1_000) * 1_000);
}
