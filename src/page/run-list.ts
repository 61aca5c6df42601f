import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { ask } from "./api.js";
import { byId, element, setText, timeText } from "./elements.js";

interface Figures {
  readonly activitiesPerSecond?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly verdict?: "valid" | "suspect" | "invalid";
  readonly thresholdsMissed?: number;
}

/** Of `/api/v1/runs`. */
interface ListedRun {
  readonly runId: string;
  readonly status: string;
  readonly created: string;
  readonly planLine: string;
  readonly figures: Figures;
  readonly exitCode?: number;
  readonly error?: { readonly message: string };
}

const EVERY_MS = 3_000;
const COLUMNS = ["status", "activities/s", "latency", "started"] as const;
const WITH_RESULT = new Set(["completed", "cancelled"]);
const IN_PROGRESS = new Set(["starting", "running", "ending"]);
const COMPARED = 2;

interface Row {
  readonly row: HTMLElement;
  readonly pick: HTMLInputElement;
  readonly what: HTMLElement;
  readonly cells: Readonly<Record<(typeof COLUMNS)[number], HTMLElement>>;
}

/** The runs of the server, the last one first. A row stays the same element, with what a reader has chosen in it. */
export class RunList {
  readonly #rows = new Map<string, Row>();
  readonly #body = byId("runs").querySelector("tbody")!;
  readonly #form = byId("compare") as HTMLFormElement;
  #runs: readonly ListedRun[] = [];

  follow(): void {
    this.#form.addEventListener("change", () => this.#showChoice());
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      // The older one is the baseline.
      const [fresh, baseline] = this.#chosen();
      if (fresh !== undefined && baseline !== undefined)
        location.assign(`/compare?${new URLSearchParams({ baseline, new: fresh }).toString()}`);
    });
    void this.#keepLoading();
  }

  async #keepLoading(): Promise<never> {
    for (;;) {
      // A page that nobody looks at asks for nothing.
      if (document.visibilityState === "visible") await this.#load();
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
    }
  }

  async #load(): Promise<void> {
    try {
      const { status, body } = await ask<{ readonly runs: readonly ListedRun[] }>("/api/v1/runs");
      if (status !== 200) throw new Error(`status ${status}`);
      this.#show(body.runs);
      byId("lost").hidden = true;
    } catch {
      setText("lost", "The server does not answer. Trying again.");
      byId("lost").hidden = false;
    }
  }

  #show(runs: readonly ListedRun[]): void {
    this.#runs = runs;
    this.#form.hidden = runs.length === 0;
    byId("no-runs").hidden = runs.length > 0;
    const shown = new Set(runs.map(({ runId }) => runId));
    for (const [runId, { row }] of this.#rows) {
      if (shown.has(runId)) continue;
      row.remove();
      this.#rows.delete(runId);
    }
    for (const run of runs.toReversed()) {
      const known = this.#rows.get(run.runId);
      const row = known ?? rowOf(run);
      if (known === undefined) {
        this.#rows.set(run.runId, row);
        this.#body.prepend(row.row);
      }
      fill(row, run);
    }
    this.#showChoice();
    showNow(runs.filter(({ status }) => IN_PROGRESS.has(status)));
  }

  #chosen(): readonly string[] {
    return this.#runs.map(({ runId }) => runId).filter((runId) => this.#rows.get(runId)?.pick.checked === true);
  }

  #showChoice(): void {
    const count = this.#chosen().length;
    const isFull = count >= COMPARED;
    for (const { runId, status, error } of this.#runs) {
      const pick = this.#rows.get(runId)?.pick;
      if (pick) pick.disabled = !WITH_RESULT.has(status) || error !== undefined || (isFull && !pick.checked);
    }
    (byId("compare-button") as HTMLButtonElement).disabled = !isFull;
    setText(
      "compare-note",
      isFull ? "The older one is the baseline." : count === 1 ? "Choose one more." : "Choose two runs that have ended.",
    );
  }
}

/** Above the form: the runs that somebody may want to look at now. */
function showNow(runs: readonly ListedRun[]): void {
  const now = byId("now");
  const ids = runs.map(({ runId }) => runId).join(" ");
  if (now.dataset["runs"] === ids) return;
  now.dataset["runs"] = ids;
  now.hidden = runs.length === 0;
  const links = runs.flatMap(({ runId }, index) => [
    document.createTextNode(index === 0 ? "In progress: " : ", "),
    element("a", runId, { href: pathOf(runId) }),
  ]);
  now.replaceChildren(...links);
}

function pathOf(runId: string): string {
  return `/runs/${encodeURIComponent(runId)}`;
}

function rowOf({ runId, created }: ListedRun): Row {
  const pick = element("input", "", {
    type: "checkbox",
    class: "pick",
    "aria-label": `Compare ${runId}`,
  }) as HTMLInputElement;
  const what = element("span", "", { class: "what" });
  const link = element("a", runId, { href: pathOf(runId) });
  const head = element("th", [pick, link, what], { scope: "row", class: "text" });
  const cells = {
    status: cell("status", "text"),
    "activities/s": cell("activities/s", "number"),
    latency: cell("latency", "number"),
    started: cell("started", "text"),
  };
  const time = element("time", timeText(created), { datetime: created });
  cells.started.append(time);
  return { row: element("tr", [head, ...COLUMNS.map((name) => cells[name])]), pick, what, cells };
}

function cell(name: string, kind: "text" | "number"): HTMLElement {
  return element("td", "", { class: kind, "data-name": name });
}

function fill({ what, cells }: Row, run: ListedRun): void {
  const { activitiesPerSecond } = run.figures;
  write(what, run.planLine);
  const { text, tone } = stateOf(run);
  write(cells.status, text);
  cells.status.className = `text ${tone}`;
  write(cells["activities/s"], activitiesPerSecond === undefined ? "–" : formatRate(activitiesPerSecond));
  write(cells.latency, latencyOf(run.figures));
}

/** The median, where the sample is too small for more. */
function latencyOf({ p50Ms, p99Ms }: Figures): string {
  if (p99Ms !== undefined) return `p99 ${formatDuration(p99Ms)}`;
  return p50Ms === undefined ? "–" : `p50 ${formatDuration(p50Ms)}`;
}

function write(to: HTMLElement, text: string): void {
  if (to.textContent !== text) to.textContent = text;
}

/** The gravest thing about a run. */
function stateOf(run: ListedRun): { readonly text: string; readonly tone: string } {
  const { text, tone } = outcomeOf(run);
  const isGone = WITH_RESULT.has(run.status) && run.error !== undefined;
  return { text: isGone ? `${text}, result gone` : text, tone };
}

function outcomeOf({ status, figures, exitCode }: ListedRun): { readonly text: string; readonly tone: string } {
  const { verdict, thresholdsMissed = 0 } = figures;
  if (status === "failed") return { text: "✕ failed", tone: "bad" };
  if (status !== "completed") return { text: status, tone: "" };
  if (exitCode === 1) return { text: "✕ not all completed", tone: "bad" };
  if (verdict === "invalid") return { text: "✕ invalid", tone: "bad" };
  if (thresholdsMissed > 0)
    return { text: `✕ ${thresholdsMissed} threshold${thresholdsMissed === 1 ? "" : "s"} missed`, tone: "bad" };
  if (verdict === "suspect") return { text: "▲ completed, suspect", tone: "doubt" };
  return { text: "✓ completed", tone: "good" };
}
