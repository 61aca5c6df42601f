import { readFileSync } from "node:fs";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { ERROR_CODES, FanoutError, UsageError } from "../../src/errors.js";
import { runProgram } from "../../src/program.js";

async function outputOf(argv: readonly string[]) {
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  const exitCode = await runProgram(argv, io);
  io.stdout.end();
  io.stderr.end();
  return { exitCode, stdout: await text(io.stdout), stderr: await text(io.stderr) };
}

test("docs/errors.md has every code with its meaning, and no other", () => {
  const rows = readFileSync(new URL("../../docs/errors.md", import.meta.url), "utf8").matchAll(
    /^\| `(?<code>[a-z-]+)` *\| (?<meaning>.*?) *\|$/gmu,
  );
  const documented = [...rows].map(({ groups }) => [groups?.["code"], groups?.["meaning"]]);
  expect(documented).toEqual(Object.entries(ERROR_CODES));
});

test("the message of an error is the problem and then the hint", () => {
  const hint = "Check the host.";
  expect(new FanoutError("backend-unreachable", "It is away.", { hint })).toMatchObject({
    code: "backend-unreachable",
    problem: "It is away.",
    hint,
    message: "It is away. Check the host.",
    exitCode: 1,
  });
  expect(new UsageError("invalid-value", 'found "x"', { hint: "use y" })).toMatchObject({
    code: "invalid-value",
    message: 'found "x"; use y',
    exitCode: 2,
  });
});

test("with --json a command that fails prints the code, the message and the hint as JSON", async () => {
  const { exitCode, stdout, stderr } = await outputOf(["run", "--threshold", "p9x<1s", "--json"]);
  const error = {
    code: "invalid-threshold",
    message: expect.stringMatching(/found "p9x"$/u) as string,
    hint: "did you mean p90?",
  };
  expect(JSON.parse(stdout)).toEqual({ error });
  expect(stderr).toMatch(/^error: --threshold .*found "p9x"; did you mean p90\?\n$/u);
  expect(exitCode).toBe(2);
});

test.each([[["run", "--iterations", "0"]], [["run", "--iterations", "0", "--json", "result.json"]]])(
  "without --json on stdout nothing is printed there: %j",
  async (argv) => {
    expect(await outputOf(argv)).toMatchObject({ exitCode: 2, stdout: "", stderr: expect.stringMatching(/^error: /u) });
  },
);
