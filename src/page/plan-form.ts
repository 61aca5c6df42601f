import { plural } from "../format/count.js";
import { post, problemText, type PlanError, type Problem } from "./api.js";
import { byId, setText } from "./elements.js";
import { PlanFields, type Plan } from "./plan-fields.js";

/** Of `/api/v1/plans`. */
interface PlanCheck {
  readonly valid: boolean;
  readonly errors: readonly PlanError[];
  readonly planLine?: string;
  /** Absent if those of each start are unknown. */
  readonly actions?: number;
  readonly starts?: number;
  readonly refusal?: PlanError;
  readonly backend?: { readonly name: string; readonly taskHub: string; readonly mayBill: boolean };
}

/** After the last key, so that nothing is said of half a word. */
const TYPING_PAUSE_MS = 350;
/** A backend that is away is asked for again. */
const AWAY_PAUSE_MS = 3_000;

/** The form that starts a run. What it would start is said while somebody types. */
export class PlanForm {
  readonly #form = byId("start") as HTMLFormElement;
  readonly #button = byId("start-button") as HTMLButtonElement;
  readonly #fields = new PlanFields(this.#form);
  #typing: ReturnType<typeof setTimeout> | undefined;
  #checking = new AbortController();
  #isStarting = false;
  /** The same for a start that is repeated, because its answer was lost. */
  #key = { of: "", value: "" };

  listen(): void {
    this.#takeAddress();
    addEventListener("hashchange", () => {
      this.#form.reset();
      this.#takeAddress();
      void this.#look();
    });
    this.#form.addEventListener("input", () => this.#lookAfter(TYPING_PAUSE_MS));
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#start();
    });
    void this.#look();
  }

  /** The fragment stays in the browser: a plan may be long, and its input is nobody else's. */
  #takeAddress(): void {
    this.#fields.take(new URLSearchParams(location.hash.slice(1)));
  }

  #lookAfter(ms: number): void {
    clearTimeout(this.#typing);
    this.#typing = setTimeout(() => void this.#look(), ms);
  }

  async #look(): Promise<void> {
    if (this.#isStarting) {
      // Another check would abort that of the start.
      this.#lookAfter(TYPING_PAUSE_MS);
      return;
    }
    this.#writeAddress();
    await this.#check().catch((error: unknown) => {
      if (isAbort(error)) return;
      setText("forecast", "The server does not answer.");
      this.#lookAfter(AWAY_PAUSE_MS);
    });
  }

  #writeAddress(): void {
    const written = this.#fields.query().toString();
    history.replaceState(null, "", written === "" ? location.pathname : `#${written}`);
  }

  /** Says what is wrong, or what a start would do. Returns the plan if it can be started, as far as is known. */
  async #check(): Promise<{ readonly plan: Plan; readonly check: PlanCheck } | undefined> {
    clearTimeout(this.#typing);
    this.#checking.abort();
    this.#checking = new AbortController();
    const { plan, errors } = this.#fields.read();
    if (errors.length > 0) {
      this.#showErrors(errors);
      return undefined;
    }
    const { signal } = this.#checking;
    const { status, body } = await post<PlanCheck & Problem>("/api/v1/plans", plan, { signal });
    if (status !== 200) {
      this.#showRefusal(status, body);
      return undefined;
    }
    showPlace(body);
    if (body.backend === undefined) this.#lookAfter(AWAY_PAUSE_MS);
    // A backend that may bill is asked about at the start.
    const refusals = body.refusal !== undefined && !asksFor(body, plan) ? [body.refusal] : [];
    this.#showErrors([...body.errors, ...refusals]);
    if (body.planLine !== undefined) setText("forecast", forecastOf(body));
    return body.valid && refusals.length === 0 ? { plan, check: body } : undefined;
  }

  #showErrors(errors: readonly PlanError[]): void {
    const others = this.#fields.showErrors(errors);
    setText("refused", others.map(({ detail }) => detail).join(" "));
    byId("refused").hidden = others.length === 0;
    if (errors.length > 0) setText("forecast", `${plural(errors.length, "thing")} to correct`);
  }

  async #start(): Promise<void> {
    this.#isStarting = true;
    this.#button.disabled = true;
    this.#writeAddress();
    try {
      const found = await this.#check();
      if (found === undefined) {
        this.#fields.focusFirstWrong();
        return;
      }
      const { plan, check } = found;
      const asks = mayBill(check);
      if (asks && !(await isConfirmed(check))) return;
      const bound = asks && plan["maxActions"] === undefined ? { maxActions: boundOf(check) } : {};
      await this.#send({ ...plan, ...bound });
    } catch (error) {
      if (!isAbort(error)) this.#showTrouble("The server does not answer. Start again: it starts one run only.");
    } finally {
      this.#button.disabled = false;
      this.#isStarting = false;
    }
  }

  async #send(plan: Plan): Promise<void> {
    const headers = { "idempotency-key": this.#keyOf(plan) };
    const { status, body } = await post<{ readonly runId: string } & Problem>("/api/v1/runs", plan, { headers });
    if (status === 201) {
      // Whoever comes back to this page starts another one.
      this.#key = { of: "", value: "" };
      location.assign(`/runs/${encodeURIComponent(body.runId)}`);
      return;
    }
    this.#showRefusal(status, body);
    this.#fields.focusFirstWrong();
  }

  #showRefusal(status: number, problem: Problem): void {
    if (isOfPlan(status)) this.#showErrors(problem.errors ?? [{ ...problem, detail: problemText(problem) }]);
    else this.#showTrouble(problemText(problem));
  }

  /** What the plan is not to blame for. What it would do stays written. */
  #showTrouble(text: string): void {
    this.#fields.showErrors([]);
    setText("refused", text);
    byId("refused").hidden = false;
  }

  #keyOf(plan: Plan): string {
    const of = JSON.stringify(plan);
    // Not `randomUUID`, which browsers have over https only.
    if (this.#key.of !== of) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      this.#key = { of, value: [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("") };
    }
    return this.#key.value;
  }
}

/** Whether a refused request would be accepted with another plan. */
function isOfPlan(status: number): boolean {
  return status < 500 && status !== 429;
}

/** A backend that does not answer may bill too. */
function mayBill({ backend }: PlanCheck): boolean {
  return backend?.mayBill !== false;
}

/** The `maxActions` that this plan needs: it bounds the starts if the actions of each are unknown. */
function boundOf({ actions, starts }: PlanCheck): number | undefined {
  return actions ?? starts;
}

/** Whether the start asks for a bound, in place of the refusal of a plan without one. */
function asksFor(check: PlanCheck, plan: Plan): boolean {
  return (
    mayBill(check) &&
    boundOf(check) !== undefined &&
    check.refusal?.field === "maxActions" &&
    plan["maxActions"] === undefined
  );
}

async function isConfirmed(check: PlanCheck): Promise<boolean> {
  const dialog = byId("confirm") as HTMLDialogElement;
  const { does, start } = costTexts(check);
  const { backend } = check;
  const place =
    backend === undefined
      ? "the backend, which does not answer yet and"
      : `${backend.name}, task hub ${backend.taskHub}, which`;
  setText("confirm-text", `It may ${does} on ${place} may bill them.`);
  setText("confirm-button", start);
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "start";
}

function costTexts({ actions, starts }: PlanCheck): { readonly does: string; readonly start: string } {
  if (actions !== undefined) {
    const most = `up to ${plural(actions, "action")}`;
    return { does: `cost ${most}`, start: `Start, for ${most}` };
  }
  if (starts === undefined) return { does: "cost any number of actions", start: "Start, at an unknown cost" };
  return {
    does: `make up to ${plural(starts, "start")}, whose actions are unknown,`,
    start: `Start up to ${plural(starts, "orchestration")}, at an unknown cost`,
  };
}

function forecastOf(check: PlanCheck): string {
  const { planLine = "", actions } = check;
  if (!mayBill(check)) return planLine;
  return `${planLine}. ${actions === undefined ? "Its actions" : plural(actions, "action")} may be billed.`;
}

function showPlace({ backend }: PlanCheck): void {
  setText(
    "place",
    backend === undefined ? "The backend does not answer yet." : `On ${backend.name}, task hub ${backend.taskHub}.`,
  );
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
