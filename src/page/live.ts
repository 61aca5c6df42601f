/** The script of the page that shows a run while it happens. */
import type { LiveUpdate } from "../live/live-update.js";
import { checkSession } from "./api.js";
import { Charts } from "./charts.js";
import { Course } from "./course.js";
import { offerCancel } from "./cancel.js";
import { byId, setText } from "./elements.js";
import { showUpdate } from "./view.js";

/** Updates come once a second. Without any for so long, the figures are old although the connection is there. */
const SILENCE_MS = 5_000;

const charts = new Charts();
const course = new Course();
let lastMs = performance.now();
let lastTime = new Date().toLocaleTimeString();
let isOver = false;

const { events = "events", report = "" } = document.body.dataset;
/** By `fanout serve`, which may have a key. */
const isServed = report !== "";
const source = new EventSource(events);
source.addEventListener("update", ({ data }: MessageEvent<string>) => {
  const update = JSON.parse(data) as LiveUpdate;
  lastMs = performance.now();
  lastTime = new Date().toLocaleTimeString();
  show(update);
  const { phase } = update;
  if (phase.kind === "failed" || (phase.kind === "ended" && phase.why !== undefined)) end("ended");
  if (phase.kind === "ended" && phase.report !== undefined) location.replace(isServed ? report : phase.report);
});
// The last event of a run whose figures nobody has any more.
source.addEventListener("ended", ({ data }: MessageEvent<string>) => {
  const { error } = JSON.parse(data) as { readonly error?: { readonly message: string } };
  if (isOver || error === undefined) return;
  end("ended");
  setText("detail", error.message);
});
source.addEventListener("error", () => {
  if (isOver) return;
  lose();
  // A browser does not tell why.
  if (isServed) void checkSession();
});
setInterval(() => {
  if (!isOver && performance.now() - lastMs > SILENCE_MS) lose();
}, 1_000);

function show(update: LiveUpdate): void {
  course.take(update.run.runId, update.series);
  const moments = course.until(update.snapshot.elapsedMs);
  charts.show(update, moments);
  showUpdate(update, moments);
  offerCancel(update.phase);
  setLink("on", "live");
  byId("lost").hidden = true;
}

function lose(): void {
  const again = source.readyState === EventSource.CLOSED ? "Reload the page to try again." : "Trying again.";
  setLink("off", "connection lost");
  // Without a count of seconds, which a screen reader would say again and again.
  setText("lost", `The connection to the run is lost. The figures below are of ${lastTime}. ${again}`);
  byId("lost").hidden = false;
}

function end(text: string): void {
  isOver = true;
  source.close();
  setLink("", text);
}

function setLink(state: "on" | "off" | "", text: string): void {
  byId("link").className = `link ${state}`;
  setText("link", text);
}
