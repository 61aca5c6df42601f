import { createHash } from "node:crypto";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, integer, nat, property, record } from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { foreignOf } from "../../../src/plan/foreign-orchestration.js";
import {
  hasInputLines,
  inputPlace,
  readInputLines,
  withInputValues,
  type InputOrder,
} from "../../../src/plan/input-lines.js";
import { parsePlan, resultPlanOf } from "../../../src/plan/plan.js";

async function fileWith(content: string | Uint8Array, name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanout-inputs-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

const digestOf = (text: string): string => createHash("sha256").update(text).digest("hex");

describe("a file with an input for each start", () => {
  test.each([
    ["orders.jsonl", true],
    ["orders.NDJSON", true],
    ["my.orders.csv", true],
    ["order.json", false],
    ["csv", false],
    ["orders.constructor", false],
  ])("%s: %j", (file, has) => {
    expect(hasInputLines(file)).toBe(has);
  });

  test.each<[string, string, string, readonly unknown[]]>([
    ["JSON lines", "a.jsonl", '{"id": 1}\n[2]\nnull\n"text"', [{ id: 1 }, [2], null, "text"]],
    ["lines of Windows, and empty ones", "a.ndjson", '\r\n{"id": 1}\r\n\r\n2\r\n', [{ id: 1 }, 2]],
    ["a byte order mark", "a.jsonl", "\u{FEFF}1\n2", [1, 2]],
    [
      "CSV",
      "a.csv",
      "id,name\n007,A\n8,",
      [
        { id: "007", name: "A" },
        { id: "8", name: "" },
      ],
    ],
    ["quoted CSV of Windows", "a.CSV", '\u{FEFF}id,name\r\n1,"B ""b"",\r\nC"\r\n', [{ id: "1", name: 'B "b",\r\nC' }]],
    ["a column of CSV that every object has", "a.csv", "__proto__\nx", [Object.fromEntries([["__proto__", "x"]])]],
  ])("may hold %s", async (_what, name, text, values) => {
    const { inputs, inputValues } = readInputLines(await fileWith(text, name), "cycle");
    expect(inputValues).toStrictEqual(values);
    expect(inputs).toEqual({ file: name, lines: values.length, order: "cycle", sha256: digestOf(text) });
  });

  test.each<[string, string | Uint8Array, string]>([
    ["a.jsonl", "1\n{id: 2}\n3", "expected JSON on each line, found none at FILE:2: "],
    ["a.jsonl", `1\n\n${"[".repeat(101)}${"]".repeat(101)}`, "at FILE:3: expected at most 100 objects"],
    ["a.jsonl", "\n \n", "expected at least one input in FILE, found none"],
    ["a.jsonl", new Uint8Array([0x22, 0xff, 0x22]), "expected UTF-8 in FILE, found other bytes"],
    ["a.csv", "id,name\n", "expected at least one input in FILE, found none"],
    ["a.csv", "id,name\n1,A\n2", "expected CSV at FILE:3: Invalid Record Length: expect 2, got 1"],
    ["a.csv", 'id,name\n1,"A', "expected CSV at FILE:2: Quote Not Closed: "],
    ["a.csv", "id,id\n1,2", 'expected a different name for each column in the first row of FILE, found "id" twice'],
    ["a.csv", "id,\n1,2", "found a column without one"],
  ])("%s with %j is refused by its line", async (name, content, message) => {
    const file = await fileWith(content, name);
    const read = () => readInputLines(file, "cycle");
    expect(read).toThrow(UsageError);
    expect(read).toThrow(message.replace("FILE", file));
  });

  test("is read again by another process, unless it has changed", async () => {
    const file = await fileWith("1\n2", "a.jsonl");
    const { inputValues, ...plan } = { seed: 1, ...readInputLines(file, "random") };
    expect(withInputValues(plan)).toEqual({ ...plan, inputValues });
    expect(withInputValues({})).toEqual({});
    await writeFile(file, "1\n3");
    expect(() => withInputValues(plan)).toThrow(`expected ${file} as the run read it first, found it changed`);
  });

  test("that is too large is refused", async () => {
    const file = await fileWith("1", "a.jsonl");
    await truncate(file, 300 * 2 ** 20);
    expect(() => readInputLines(file, "cycle")).toThrow(`expected at most 256 MiB in ${file}, found 300 MiB`);
  });

  test("that is a folder or a device is refused", () => {
    expect(() => readInputLines(tmpdir(), "cycle")).toThrow(
      `expected a regular file, found ${tmpdir()}, which is none`,
    );
  });

  test("that is missing is refused", () => {
    expect(() => foreignOf({ orchestrator: "Order", input: "@/nowhere/a.csv" })).toThrow(/cannot be read: ENOENT/u);
  });

  test.each<[object, string]>([
    [{ orchestrator: "Order", inputOrder: "once" }, "--input-order: expected --input with a file of several inputs"],
    [{ orchestrator: "Order", input: "@a.json", inputOrder: "once" }, "--input-order: expected --input with a file"],
    [{ input: "@a.csv" }, "--input: expected --orchestrator with it"],
  ])("%j is refused", (flags, message) => {
    expect(() => foreignOf(flags)).toThrow(message);
  });
});

describe("the input of a start", () => {
  const inputs = { file: "a.csv", sha256: "" };
  const runs = record({ lines: integer({ min: 1, max: 50 }), seed: nat(), sequence: nat(100_000_000) });

  test("is one of the file, and the next of the file in turn", () => {
    const check = property(runs, ({ lines, seed, sequence }) => {
      const placeOf = (order: InputOrder) => inputPlace({ ...inputs, lines, order }, sequence, seed);
      expect(placeOf("cycle")).toBe(sequence % lines);
      const drawn = placeOf("random");
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < lines).toBe(true);
      expect(placeOf("random")).toBe(drawn);
    });
    assert(check);
  });

  test("is drawn evenly, and by the seed", () => {
    const lines = 10;
    const draws = (seed: number) =>
      Array.from({ length: 10_000 }, (_, at) => inputPlace({ ...inputs, lines, order: "random" }, at, seed));
    // Five standard deviations of a binomial count.
    for (const places of Map.groupBy(draws(7), (place) => place).values())
      expect(Math.abs(places.length - 1_000)).toBeLessThan(150);

    expect(draws(7)).not.toEqual(draws(8));
  });
});

describe("a plan with a file of inputs", () => {
  const flags = { workers: "auto", timeout: "10m", iterations: "1", parallelActivities: "1", orchestrator: "Order" };

  test("tells a result the name, the number, the order and the digest, and neither an input nor the folder", async () => {
    const file = await fileWith('{"secret": 1}', "orders.jsonl");
    const plan = parsePlan({ ...flags, input: `@${file}`, inputOrder: "random" });
    expect(plan.inputValues).toEqual([{ secret: 1 }]);
    const told = resultPlanOf(plan);
    expect(told.inputs).toEqual({ file: "orders.jsonl", lines: 1, order: "random", sha256: digestOf('{"secret": 1}') });
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(told).not.toHaveProperty("inputPath");
  });

  test("ends closed load when inputs that are taken once are used up", async () => {
    const input = `@${await fileWith("1\n2\n3", "orders.jsonl")}`;
    const planned = (more: object) => parsePlan({ ...flags, input, duration: "1s", ...more }).load;
    expect(planned({ inputOrder: "once" })).toEqual({ kind: "closed", durationMs: 1_000, total: 3 });
    expect(planned({ inputOrder: "once", total: "2" })).toEqual({ kind: "closed", durationMs: 1_000, total: 2 });
    expect(planned({})).toEqual({ kind: "closed", durationMs: 1_000 });
  });
});
