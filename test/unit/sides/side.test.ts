import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { parseSides, type Side } from "../../../src/sides/side.js";
import { turnsOf } from "../../../src/sides/turns.js";
import { wordsOf } from "../../../src/sides/words.js";

const SECRET = "Endpoint=https://h.durabletask.io;Authentication=ManagedIdentity;TaskHub=h;ClientID=s3cret";
const LOCAL = "Endpoint=http://localhost:8080;Authentication=None;TaskHub=b";

/** The second of two sides, the first being `fanout run` without flags. */
function secondOf(text: string, common: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Side {
  return parseSides({ runs: ["", text], names: [], common }, env)[1]!;
}

describe("the words of a side", () => {
  test.each([
    ["", []],
    ["  --rate   50/s ", ["--rate", "50/s"]],
    [String.raw`--threshold 'p99<1s' --input "{\"a\": 1}"`, ["--threshold", "p99<1s", "--input", '{"a": 1}']],
    [String.raw`a\ b 'it'"'"'s' "" $HOME *`, ["a b", "it's", "", "$HOME", "*"]],
    ["--label='a b'", ["--label=a b"]],
  ])("%s are split as a shell does, and nothing is expanded", (text, words) => {
    expect(wordsOf(text, "--run")).toEqual(words);
  });

  test.each(["--input '{", '--label "a', "--label a\\"])("%s are refused where something is not closed", (text) => {
    expect(() => wordsOf(text, "--run 'new'")).toThrow("--run 'new': expected every quote to be closed");
  });
});

describe("a side", () => {
  test.each([
    ["--rate 50/s", undefined, ["--rate", "50/s"], "fanout run --rate 50/s"],
    ["run --rate 50/s", undefined, ["--rate", "50/s"], "fanout run --rate 50/s"],
    ["npx fanout@1.2 run --rate 50/s", ["npx", "fanout@1.2"], ["--rate", "50/s"], "npx fanout@1.2 run --rate 50/s"],
    ["--threshold 'p99<1s'", undefined, ["--threshold", "p99<1s"], "fanout run --threshold 'p99<1s'"],
    ["A=b --rate 5/s", undefined, ["--rate", "5/s"], "A=... fanout run --rate 5/s"],
  ])("%s is a fanout and its flags", (text, program, flags, shown) => {
    expect(secondOf(text)).toMatchObject({ name: "new", program, flags, text: shown });
  });

  test("has the flags of all sides behind its own", () => {
    expect(secondOf("--transport grpc", ["--rate", "5/s"]).flags).toEqual(["--transport", "grpc", "--rate", "5/s"]);
  });

  test("takes variables from ours and from files, and shows no value", async () => {
    const folder = await mkdtemp(join(tmpdir(), "side-"));
    try {
      const file = join(folder, "hub");
      await writeFile(file, `${SECRET}\n`);
      const text = `DURABLE_TASK_CONNECTION_STRING=$HUB OTHER_CONNECTION_STRING=@${file} MODE=x --rate 5/s`;
      const side = secondOf(text, [], { HUB: SECRET });
      expect(side.variables).toEqual({
        DURABLE_TASK_CONNECTION_STRING: SECRET,
        OTHER_CONNECTION_STRING: SECRET,
        MODE: "x",
      });
      expect(side.text).toBe(
        `DURABLE_TASK_CONNECTION_STRING=$HUB OTHER_CONNECTION_STRING=@${file} MODE=... fanout run --rate 5/s`,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test("gets a connection string by its environment, since all users can read command lines", () => {
    const side = secondOf(`--connection-string ${LOCAL} --rate 5/s`);
    expect(side).toMatchObject({ flags: ["--rate", "5/s"], variables: { DURABLE_TASK_CONNECTION_STRING: LOCAL } });
    expect(side.text).toBe("fanout run --rate 5/s --connection-string ...");
  });

  test("may have a worker of its own", () => {
    expect(secondOf("--worker-command 'node worker.js' --orchestrator Order")).toMatchObject({
      worker: ["node", "worker.js"],
      flags: ["--orchestrator", "Order"],
      text: "fanout run --orchestrator Order --worker-command 'node worker.js'",
    });
  });

  test.each([
    [`--connection-string '${SECRET}'`, /command lines; put it there, and write, in single quotes, DURABLE_TASK_/u],
    [`DURABLE_TASK_CONNECTION_STRING='${SECRET}'`, /DURABLE_TASK_CONNECTION_STRING=@FILE in front of the flags$/u],
    ["A=$MISSING", /^--run 'new': A: expected the variable MISSING to be set, found it empty$/u],
    ["A=@/nowhere/at/all", /^--run 'new': A: expected a file, found ENOENT/u],
    ["npx fanout --rate 5/s", /expected flags of `fanout run`, or a command with `run` .*, found "npx"$/u],
    ["--rate 5/s --repeat 3", /^--run 'new': expected no --repeat of a side; give it to `fanout compare`$/u],
    ["--json=x.json", /^--run 'new': expected no --json of a side; /u],
    ["--worker-command", /^--run 'new': expected a value after --worker-command, found none$/u],
    ["--worker-command ''", /--worker-command: expected a command, found none$/u],
  ])("%s is refused, without a secret", (text, message) => {
    const parse = () => secondOf(text);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
    expect(parse).not.toThrow("s3cret");
  });
});

test.each([
  [["a"], [], "--run: expected two or more, with the base first, found 1"],
  [["", ""], ["a", "b", "c"], "--name: expected at most one for each --run, found 3 for 2"],
  [["", ""], ["new"], '--name: expected a different name for each side, found "new" twice'],
])("sides %j called %j are refused", (runs, names, message) => {
  expect(() => parseSides({ runs, names, common: [] }, {})).toThrow(message);
});

test("sides without names are base, new1, new2", () => {
  const sides = parseSides({ runs: ["", "", ""], names: [], common: [] }, {});
  expect(sides.map(({ name }) => name)).toEqual(["base", "new1", "new2"]);
});

test("sides take turns there and back again", () => {
  expect(turnsOf(2, 4)).toEqual([0, 1, 1, 0, 0, 1, 1, 0]);
  expect(turnsOf(3, 3)).toEqual([0, 1, 2, 2, 1, 0, 0, 1, 2]);
});
