import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { headlineOf } from "../live/headline.js";
import type { LiveThreshold, LiveUpdate } from "../live/live-update.js";
import type { LIVE_TILES } from "../report/html/live-panels.js";
import type { LatencySummary } from "../result/run-result.js";
import type { Moment } from "./course.js";
import { byId, element, setText, showTable, type Cell } from "./elements.js";

const TONES = { good: "good", bad: "bad", doubt: "doubt", neutral: "" } as const;
/** Rates of the last seconds, so that a digit can be read. */
const RATE_SECONDS = 3;

const STATES: Readonly<Record<LiveThreshold["state"], Cell>> = {
  holds: { text: "✓ holds", tone: "good" },
  missed: { text: "✕ missed so far", tone: "bad" },
  "missed-for-good": { text: "✕ missed", tone: "bad" },
  open: { text: "not judged yet", tone: "" },
};

/** Writes everything but the charts. */
export function showUpdate(update: LiveUpdate, moments: readonly Moment[]): void {
  showHead(update);
  showVerdict(update);
  showTiles(update, moments);
  showLines(update);
  const { thresholds, stalls, snapshot } = update;
  const thresholdRows = thresholds.map(({ expression, state, found = "", reason = "" }) => {
    return [{ text: expression }, STATES[state], { text: found }, { text: reason }];
  });
  showTable("thresholds", ["threshold", "state", "found", "why"], thresholdRows, ["state", "why"]);
  const stallRows = stalls.map(({ fromMs, lengthMs, inFlight, open }, index) => [
    { text: `${index + 1}` },
    { text: formatDuration(fromMs) },
    { text: formatDuration(lengthMs) + (open === true ? ", in progress" : "") },
    { text: formatCount(inFlight) },
  ]);
  showTable("stalls", ["stall", "from", "lasted", "in flight"], stallRows);
  const { responseMs, serviceMs, own } = snapshot;
  const latencies = [latencyRow("response time", responseMs), latencyRow("service time", serviceMs)].flat();
  showTable("latencies", ["until noticed", "count", "mean", "p50", "p90", "p99", "p99.9", "max"], latencies);
  const counts = own && {
    started: snapshot.orchestrations.started,
    completed: own.completed,
    failed: own.failed,
    terminated: own.terminated,
    "in flight": own.inFlight,
    "held back": own.heldBack,
    ...Object.fromEntries(Object.entries(own.rpcErrors).map(([status, count]) => [`failed calls, ${status}`, count])),
  };
  const countRows = Object.entries(counts ?? {}).map(([name, count]) => [{ text: name }, { text: formatCount(count) }]);
  showTable("counts", ["", "count"], countRows);
}

function showHead(update: LiveUpdate): void {
  const { run } = update;
  const { tone, text, detail } = headlineOf(update);
  setText("answer", text);
  byId("answer").className = TONES[tone];
  setText("detail", detail);
  setText("plan", run.planLine);
  setText("facts", `Run ${run.runId}${run.of > 1 ? `, ${run.number} of ${run.of}` : ""}`);
  document.title = `${text} – fanout`;
  const labels = Object.entries(run.labels).map(([name, value]) => element("li", `${name}=${value}`));
  byId("labels").replaceChildren(...labels);
  byId("labels").hidden = labels.length === 0;
}

function showLines({ lines = [] }: LiveUpdate): void {
  byId("said").hidden = lines.length === 0;
  const list = element(
    "ul",
    lines.map((line) => element("li", line)),
    { class: "lines", id: "lines" },
  );
  // The same list stays, with what a reader has selected in it.
  if (!byId("lines").isEqualNode(list)) byId("lines").replaceWith(list);
}

function showVerdict({ verdict }: LiveUpdate): void {
  const section = byId("verdict");
  const isDoubted = verdict !== undefined && verdict.status !== "valid";
  section.hidden = !isDoubted;
  if (!isDoubted) return;
  section.className = `verdict ${verdict.status}`;
  const reasons = verdict.reasons.map(({ text, advice }) =>
    element("li", [document.createTextNode(text), element("p", `What to change: ${advice}`)]),
  );
  const word = verdict.status === "invalid" ? "✕ Invalid so far" : "▲ Suspect so far";
  section.replaceChildren(element("h2", word), element("ul", reasons));
}

function showTiles({ run, snapshot, verdict }: LiveUpdate, moments: readonly Moment[]): void {
  const { orchestrations, own, responseMs, serviceMs } = snapshot;
  const latency = responseMs ?? serviceMs;
  const rate = recentRate(moments);
  const tiles: Record<keyof typeof LIVE_TILES, string | undefined> = {
    started: formatCount(orchestrations.started),
    completed: own && formatCount(own.completed),
    flying: own && formatCount(own.inFlight),
    rate: rate === undefined ? undefined : formatRate(rate),
    median: durationText(latency?.p50 ?? latency?.mean),
    tail: durationText(latency?.p99 ?? latency?.max),
  };
  for (const [id, text] of Object.entries(tiles)) setText(id, text ?? "–");
  const name = run.load === "closed" ? "service time" : "response time";
  setText("median-name", `${name}, ${latency && latency.p50 === undefined ? "mean" : "p50"}`);
  setText("tail-name", `${name}, ${latency && latency.p99 === undefined ? "max" : "p99"}`);
  byId("median")
    .closest(".tiles")
    ?.classList.toggle("invalid", verdict?.status === "invalid");
}

function recentRate(moments: readonly Moment[]): number | undefined {
  const rates = moments.slice(-RATE_SECONDS).flatMap(({ activities }) => activities ?? []);
  return rates.length === 0 ? undefined : rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
}

function latencyRow(name: string, summary: LatencySummary | undefined): readonly (readonly Cell[])[] {
  if (!summary) return [];
  const { count, mean, p50, p90, p99, p999, max } = summary;
  const durations = [mean, p50, p90, p99, p999, max].map((ms) => ({ text: durationText(ms) ?? "" }));
  return [[{ text: name }, { text: formatCount(count) }, ...durations]];
}

function durationText(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatDuration(ms);
}
