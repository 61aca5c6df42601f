import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { foreignOf } from "../../../src/plan/foreign-orchestration.js";

async function fileWith(text: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanout-input-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, "input.json");
  await writeFile(file, text);
  return file;
}

describe("somebody's own orchestration", () => {
  test.each<[object, unknown]>([
    [{}, undefined],
    [{ orchestrator: "Order" }, { orchestrator: "Order" }],
    [
      { orchestrator: "Order", input: '{"id": [1, "2"]}' },
      { orchestrator: "Order", orchestratorInput: { id: [1, "2"] } },
    ],
    [
      { orchestrator: "Order", input: "null" },
      { orchestrator: "Order", orchestratorInput: null },
    ],
    [
      { orchestrator: "Order", input: '"text"' },
      { orchestrator: "Order", orchestratorInput: "text" },
    ],
  ])("%j is %j", (flags, orchestration) => {
    expect(foreignOf(flags)).toEqual(orchestration);
  });

  test("may have its input in a file", async () => {
    const input = `@${await fileWith('{"id": 7}')}`;
    expect(foreignOf({ orchestrator: "Order", input })).toEqual({
      orchestrator: "Order",
      orchestratorInput: { id: 7 },
    });
  });

  test.each<[object, string]>([
    [{ input: "1" }, "--input: expected --orchestrator with it"],
    [{ orchestrator: "Order", input: "{id: 1}" }, "--input: expected JSON or @FILE"],
    [{ orchestrator: "Order", input: "" }, "--input: expected JSON or @FILE"],
    [{ orchestrator: "Order", input: "@/nowhere/input.json" }, "--input: the file cannot be read: ENOENT"],
  ])("%j is refused", (flags, message) => {
    expect(() => foreignOf(flags)).toThrow(UsageError);
    expect(() => foreignOf(flags)).toThrow(message);
  });

  test("whose file holds no JSON is refused by the file's name", async () => {
    const file = await fileWith("id: 7");
    expect(() => foreignOf({ orchestrator: "Order", input: `@${file}` })).toThrow(`--input: expected JSON in ${file}`);
  });
});
