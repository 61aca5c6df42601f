import { markup, type Markup } from "../html/markup.js";

/** A key of a plan, as it is written into a form. */
export interface FormField {
  readonly name: string;
  readonly kind: "switch" | "value" | "optional-value" | "list" | "mix";
  readonly description: string;
  readonly group: string;
  readonly placeholder?: string | undefined;
  readonly default?: string | undefined;
}

/** What a value is, and one as an example. */
const UNITS: Readonly<Record<string, readonly [unit: string, example: string]>> = {
  count: ["number", ""],
  "auto|count": ["number, or auto", ""],
  number: ["number", ""],
  duration: ["time", "30s"],
  bytes: ["size", "64k"],
  share: ["share", "1%"],
  rate: ["rate", "50/s"],
  stages: ["rates", "10/s->100/s:1m"],
  time: ["time of day", "2030-01-02T03:04:05Z"],
  expression: ["", "p99<500ms"],
  "key=value": ["key=value", "team=blue"],
};
/** Values that can be chosen from a list; a word of these is none. */
const CHOICES = /^[a-z0-9-]+(?:\|[a-z0-9-]+)+$/u;
const NO_CHOICE = /(?:^|\|)(?:count|file|json)(?:\||$)/u;
const DEFAULT_IN_TEXT = / \(default: (.*)\)$/u;

/** A field with its label, its unit, its help and a place for what is wrong with it. */
export function formField(field: FormField): Markup {
  const { name, kind, description } = field;
  const [id, helpId, errorId] = [`plan-${name}`, `help-${name}`, `wrong-${name}`];
  const standard = field.default ?? DEFAULT_IN_TEXT.exec(description)?.[1];
  const about = markup`<p class="help" id="${helpId}">${helpOf(field)}${standard === undefined ? undefined : markup` Default: ${standard}.`}</p>
<p class="wrong" id="${errorId}" hidden></p>`;
  const common = markup`id="${id}" name="${name}" aria-describedby="${helpId} ${errorId}"`;
  if (kind === "switch") {
    return markup`<div class="field switch" data-key="${name}" data-kind="${kind}">
<input type="checkbox" ${common}><label for="${id}">${labelOf(name)}</label>
${about}</div>
`;
  }
  const unit = unitOf(field);
  return markup`<div class="field" data-key="${name}" data-kind="${kind}">
<label for="${id}">${labelOf(name)}${unit === "" ? undefined : markup` <span class="unit">${unit}</span>`}</label>
${control(field, common, standard)}
${about}</div>
`;
}

function control({ kind, name, placeholder = "" }: FormField, common: Markup, standard = ""): Markup {
  if (kind === "list" || kind === "mix" || name === "input")
    return markup`<textarea ${common} rows="${kind === "list" ? "2" : "3"}" placeholder="${exampleOf(placeholder)}" spellcheck="false" autocapitalize="off"></textarea>`;
  if (CHOICES.test(placeholder) && !NO_CHOICE.test(placeholder)) {
    const options = placeholder.split("|").map((choice) => markup`<option>${choice}</option>`);
    return markup`<select ${common}><option value="">default</option>${options}</select>`;
  }
  const isCount = placeholder === "count" || placeholder === "number";
  return markup`<input type="text" ${common}${isCount ? markup` inputmode="numeric"` : undefined} placeholder="${standard !== "" && standard.length <= 20 ? standard : exampleOf(placeholder)}" autocomplete="off" autocapitalize="off" spellcheck="false">`;
}

function unitOf({ kind, name, placeholder = "" }: FormField): string {
  if (kind === "mix" || name === "input") return "JSON";
  const [unit = ""] = UNITS[placeholder] ?? [];
  return kind === "list" ? [unit, "one a line"].filter((part) => part !== "").join(", ") : unit;
}

function exampleOf(placeholder: string): string {
  const [, example = ""] = UNITS[placeholder] ?? [];
  return example === "" ? "" : `such as ${example}`;
}

/** The description of a flag, whose other flags are fields here. */
function helpOf({ description }: FormField): Markup {
  const text = description.replace(DEFAULT_IN_TEXT, "").replace(/; repeatable$/u, "");
  const parts = text
    .split(/--([a-z]+(?:-[a-z]+)*)/u)
    .map((part, index) =>
      index % 2 === 0 ? markup`${index === 0 ? capitalized(part) : part}` : markup`<em>${words(part)}</em>`,
    );
  return markup`${parts}.`;
}

/** `parallelActivities` to `Parallel activities` */
function labelOf(name: string): string {
  return capitalized(name.replaceAll(/[A-Z]/gu, (letter) => ` ${letter.toLowerCase()}`));
}

function words(flag: string): string {
  return flag.replaceAll("-", " ");
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
