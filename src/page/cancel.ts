import type { LivePhase } from "../live/live-update.js";
import { byId, setText } from "./elements.js";

/** Absent on the page of a run that is cancelled in its terminal. */
const button = document.getElementById("cancel");
const dialog = document.querySelector<HTMLDialogElement>("#cancel-dialog");

if (button !== null && dialog !== null) {
  button.addEventListener("click", () => dialog.showModal());
  byId("cancel-no").addEventListener("click", () => dialog.close());
  byId("cancel-yes").addEventListener("click", () => {
    dialog.close();
    void cancel(button.dataset["path"] ?? "");
  });
}

/** Shows the button as long as there is something to cancel. */
export function offerCancel({ kind }: LivePhase): void {
  if (button === null || dialog === null) return;
  button.hidden = kind !== "waiting" && kind !== "running";
  if (button.hidden) dialog.close();
}

async function cancel(path: string): Promise<void> {
  setText("cancel-answer", "Cancelling …");
  setText("cancel-answer", await answerTo(path));
}

async function answerTo(path: string): Promise<string> {
  try {
    const answer = await fetch(path, { method: "POST" });
    if (answer.ok) return "";
    const { detail = answer.statusText } = (await answer.json()) as { readonly detail?: string };
    return `The server did not cancel it: ${detail}`;
  } catch {
    return "The server did not answer. Try again.";
  }
}
