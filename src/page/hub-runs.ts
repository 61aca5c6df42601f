import { formatCount, plural } from "../format/count.js";
import { ask, post, problemText, type Answer, type Problem } from "./api.js";
import { byId, element, setText, timeText } from "./elements.js";

/** Of `/api/v1/hub/runs/search`. */
interface HubRuns {
  readonly runs: readonly HubRun[];
  readonly more: boolean;
}

interface HubRun {
  readonly runId: string;
  readonly createdAt: string;
  readonly instances: number;
  readonly byStatus: Readonly<Record<string, number>>;
}

/** Of `/api/v1/hub/runs/:runId/instances`. */
interface HubInstances {
  readonly instances: readonly { readonly instanceId: string; readonly status: string }[];
  readonly more: boolean;
}

/** The runs on the task hub, which are read when somebody asks. */
export function offerHubRuns(): void {
  const button = byId("hub-button") as HTMLButtonElement;
  button.addEventListener("click", () => {
    button.disabled = true;
    setText("hub-note", "Asking the backend");
    void show().finally(() => (button.disabled = false));
  });
}

async function show(): Promise<void> {
  const answer = await answered(() => post<HubRuns & Problem>("/api/v1/hub/runs/search", {}));
  if (typeof answer === "string") {
    setText("hub-note", answer);
    return;
  }
  setText("hub-note", noteOf(answer));
  byId("hub").replaceChildren(...answer.runs.map(itemOf));
}

function noteOf({ runs, more }: HubRuns): string {
  const found = plural(runs.length, "run");
  if (more)
    return `${found}. The search was cut: runs and instances may be missing. The command fanout status reads all.`;
  return runs.length === 0 ? "It has none." : found;
}

function itemOf({ runId, createdAt, instances, byStatus }: HubRun): HTMLElement {
  const counts = Object.entries(byStatus).map(([status, count]) => `${formatCount(count)} ${status}`);
  const facts = element("span", ` ${timeText(createdAt)}: ${plural(instances, "instance")}, ${counts.join(", ")}`, {
    class: "note",
  });
  const list = element("ul", []);
  const summary = element("summary", [element("code", runId), facts]);
  const details = element("details", [summary, list]) as HTMLDetailsElement;
  let isRead = false;
  details.addEventListener("toggle", () => {
    if (!details.open || isRead) return;
    isRead = true;
    void fill(runId, list).then((isFilled) => (isRead = isFilled));
  });
  return element("li", [details]);
}

/** Returns whether the backend has answered. */
async function fill(runId: string, list: HTMLElement): Promise<boolean> {
  list.replaceChildren(element("li", "Asking the backend"));
  const path = `/api/v1/hub/runs/${encodeURIComponent(runId)}/instances`;
  const answer = await answered(() => ask<HubInstances & Problem>(path));
  if (typeof answer === "string") {
    list.replaceChildren(element("li", answer));
    return false;
  }
  const items = answer.instances.map(({ instanceId, status }) =>
    element("li", [
      element("a", instanceId, { href: `/timelines/${encodeURIComponent(instanceId)}` }),
      document.createTextNode(` ${status}`),
    ]),
  );
  const rest = answer.more ? [element("li", "And more, which the command fanout status lists.")] : [];
  list.replaceChildren(...items, ...rest);
  return true;
}

/** The answer, or why there is none. */
async function answered<T extends Problem>(asked: () => Promise<Answer<T>>): Promise<T | string> {
  try {
    const { status, body } = await asked();
    return status === 200 ? body : problemText(body);
  } catch {
    return "The server does not answer.";
  }
}
