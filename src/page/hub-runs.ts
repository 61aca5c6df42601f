import { formatCount, plural } from "../format/count.js";
import { ask, problemText, type Problem } from "./api.js";
import { byId, element, setText, timeText } from "./elements.js";

/** Of `/api/v1/hub/runs`. */
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
  const answer = await asked<{ readonly runs: readonly HubRun[] }>("/api/v1/hub/runs");
  if (typeof answer === "string") {
    setText("hub-note", answer);
    return;
  }
  setText("hub-note", answer.runs.length === 0 ? "It has none." : plural(answer.runs.length, "run"));
  byId("hub").replaceChildren(...answer.runs.map(itemOf));
}

function itemOf({ runId, createdAt, instances, byStatus }: HubRun): HTMLElement {
  const counts = Object.entries(byStatus).map(([status, count]) => `${formatCount(count)} ${status}`);
  const facts = element("span", ` ${timeText(createdAt)}: ${plural(instances, "instance")}, ${counts.join(", ")}`, {
    class: "note",
  });
  const list = element("ul", []);
  const details = element("details", [element("summary", [element("code", runId), facts]), list]);
  details.addEventListener("toggle", () => void fill(runId, list), { once: true });
  return element("li", [details]);
}

async function fill(runId: string, list: HTMLElement): Promise<void> {
  list.replaceChildren(element("li", "Asking the backend"));
  const answer = await asked<HubInstances>(`/api/v1/hub/runs/${encodeURIComponent(runId)}/instances`);
  if (typeof answer === "string") {
    list.replaceChildren(element("li", answer));
    return;
  }
  const items = answer.instances.map(({ instanceId, status }) =>
    element("li", [
      element("a", instanceId, { href: `/timelines/${encodeURIComponent(instanceId)}` }),
      document.createTextNode(` ${status}`),
    ]),
  );
  const rest = answer.more ? [element("li", "And more, which `fanout status` lists.")] : [];
  list.replaceChildren(...items, ...rest);
}

/** The answer, or why there is none. */
async function asked<T>(path: string): Promise<T | string> {
  try {
    const { status, body } = await ask<T & Problem>(path);
    return status === 200 ? body : problemText(body);
  } catch {
    return "The server does not answer.";
  }
}
