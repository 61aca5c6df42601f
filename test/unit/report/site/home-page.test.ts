import { expect, test } from "vitest";
import type { FormField } from "../../../../src/report/site/form-fields.js";
import { homePage } from "../../../../src/report/site/home-page.js";

const RATE: FormField = {
  name: "rate",
  kind: "value",
  description: "start at this rate, independent of --max-in-flight",
  group: "The load",
  placeholder: "rate",
};

function pageOf(...fields: readonly FormField[]): string {
  return homePage({ fields, withKey: false });
}

test("a new key appears by itself, below the heading of its flag", () => {
  const page = pageOf(RATE, { name: "moonPhase", kind: "value", description: "the phase", group: "The sky" });
  expect(page).toMatch(/<details id="more">[\s\S]*<legend>The sky<\/legend>[\s\S]*name="moonPhase"[\s\S]*<\/details>/u);
  expect(page).toContain('<label for="plan-moonPhase">Moon phase</label>');
  expect(page.indexOf('name="rate"')).toBeLessThan(page.indexOf('<details id="more">'));
});

test.each<[string, Partial<FormField>, readonly string[]]>([
  ["a value has its unit and an example", {}, ['<span class="unit">rate</span>', 'placeholder="such as 50/s"']],
  ["other flags are named as their fields", {}, ["independent of <em>max in flight</em>."]],
  ["a default is in the field and in its help", { default: "5/s" }, ['placeholder="5/s"', "Default: 5/s."]],
  [
    "a default in the description too",
    { description: "the rate (default: 5/s)" },
    ['placeholder="5/s"', "The rate. Default: 5/s."],
  ],
  ["a count has a keyboard of digits", { placeholder: "count" }, ['inputmode="numeric"']],
  ["a choice is a list", { placeholder: "link|grpc-js" }, ["<select", "<option>link</option><option>grpc-js</option>"]],
  ["a number or a word is no list", { placeholder: "auto|count" }, ['<input type="text"', "number, or auto"]],
  ["a switch is a box", { kind: "switch" }, ['<input type="checkbox"']],
  ["a list has a line for each", { kind: "list", placeholder: "key=value" }, ["<textarea", "key=value, one a line"]],
  ["a mix is JSON", { kind: "mix" }, ["<textarea", '<span class="unit">JSON</span>']],
  ["text is text", { description: "a <b>& b" }, ["A &lt;b&gt;&amp; b."]],
])("%s", (_, field, parts) => {
  const page = pageOf({ ...RATE, ...field });
  for (const part of parts) expect(page).toContain(part);
});

test("only a server with a key has a way out", () => {
  expect(pageOf(RATE)).not.toContain("/logout");
  expect(homePage({ fields: [RATE], withKey: true })).toContain('action="/logout"');
});
