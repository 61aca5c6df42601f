import type { PlanError } from "./api.js";

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  readonly name: string;
  readonly kind: string;
  readonly control: Control;
  readonly wrong: HTMLElement;
}

export type Plan = Readonly<Record<string, unknown>>;

/** What is written in the form: the plan, or what is wrong with its JSON. */
export interface Written {
  readonly plan: Plan;
  readonly errors: readonly PlanError[];
}

/** The fields of the form, which are the keys of a plan. The server has made them. */
export class PlanFields {
  readonly #fields: readonly Field[];

  constructor(form: HTMLElement) {
    this.#fields = [...form.querySelectorAll<HTMLElement>("[data-key]")].map((element) => {
      const { key: name = "", kind = "" } = element.dataset;
      return {
        name,
        kind,
        control: element.querySelector<Control>("input, select, textarea")!,
        wrong: element.querySelector<HTMLElement>(".wrong")!,
      };
    });
  }

  read(): Written {
    const plan: Record<string, unknown> = {};
    const errors: PlanError[] = [];
    for (const field of this.#fields) {
      try {
        const value = valueOf(field);
        if (value !== undefined) plan[field.name] = value;
      } catch {
        errors.push({ field: field.name, detail: `${field.name}: expected JSON, found something else` });
      }
    }
    return { plan, errors };
  }

  /** Fills in what an address says. */
  take(written: URLSearchParams): void {
    for (const { name, kind, control } of this.#fields) {
      const values = written.getAll(name);
      if (values.length === 0) continue;
      if (kind === "switch") (control as HTMLInputElement).checked = values[0] !== "false";
      else control.value = values.join("\n");
    }
  }

  /** What `take` takes. */
  query(): URLSearchParams {
    const query = new URLSearchParams();
    for (const field of this.#fields) {
      const { name, kind } = field;
      if (kind === "switch" && (field.control as HTMLInputElement).checked) query.append(name, "true");
      else if (kind === "list") for (const line of linesOf(field)) query.append(name, line);
      else if (kind !== "switch" && textOf(field) !== "") query.append(name, textOf(field));
    }
    return query;
  }

  /** Shows each error beside its field. Returns those that have no field here. */
  showErrors(errors: readonly PlanError[]): readonly PlanError[] {
    const byName = Map.groupBy(errors, ({ field = "" }) => field.split(".", 1)[0] ?? "");
    for (const { name, control, wrong } of this.#fields) {
      const own = byName.get(name) ?? [];
      const text = own.map(({ detail }) => sentenceOf(detail, name)).join(" ");
      if (wrong.textContent !== text) wrong.textContent = text;
      wrong.hidden = text === "";
      if (text === "") control.removeAttribute("aria-invalid");
      else control.setAttribute("aria-invalid", "true");
    }
    // What cannot be seen cannot be corrected.
    for (const { control } of this.#wrong()) openAround(control);
    const known = new Set(this.#fields.map(({ name }) => name));
    return errors.filter(({ field = "" }) => !known.has(field.split(".", 1)[0] ?? ""));
  }

  focusFirstWrong(): void {
    this.#wrong()[0]?.control.focus();
  }

  #wrong(): readonly Field[] {
    return this.#fields.filter(({ control }) => control.hasAttribute("aria-invalid"));
  }
}

function openAround(control: Control): void {
  const details = control.closest("details");
  if (details !== null) details.open = true;
}

/** Undefined where nothing is written. */
function valueOf(field: Field): unknown {
  const { name, kind, control } = field;
  if (kind === "switch") return (control as HTMLInputElement).checked ? true : undefined;
  if (kind === "list") {
    const lines = linesOf(field);
    return lines.length === 0 ? undefined : lines;
  }
  const text = textOf(field);
  if (text === "") return undefined;
  return kind === "mix" || name === "input" ? (JSON.parse(text) as unknown) : text;
}

function textOf({ control }: Field): string {
  return control.value.trim();
}

function linesOf(field: Field): readonly string[] {
  return field.control.value
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
}

/** `rate: expected a rate` to `Expected a rate.`, beside the field `rate` */
function sentenceOf(detail: string, name: string): string {
  const text = detail.startsWith(`${name}: `) ? detail.slice(name.length + 2) : detail;
  const sentence = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/u.test(sentence) ? sentence : `${sentence}.`;
}
