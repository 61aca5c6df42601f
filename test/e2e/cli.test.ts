import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { Workplace } from "../support/e2e/workplace.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const FANOUT = join(ROOT, "bin", "fanout.js");
const WAYS_TO_ASK_FOR_HELP = [
  [],
  ["run"],
  ["capacity"],
  ["worker"],
  ["status"],
  ["purge"],
  ["emulator"],
  ["emulator", "status"],
  ["emulator", "stop"],
  ["emulator", "reset"],
];

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function fanout(
  args: readonly string[],
  options: { node?: string; env?: Record<string, string> } = {},
): Promise<Ended> {
  const { node = process.execPath, env = {} } = options;
  return new Promise((resolve) => {
    execFile(node, [FANOUT, ...args], { env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === "number" ? error.code : 0, stdout, stderr });
    });
  });
}

/** The same without a process: a table needs it once. */
async function fanoutHere(args: readonly string[]): Promise<Ended> {
  return (await Workplace.open()).run("", ...args);
}

describe("a flag that takes one value", () => {
  test.each([
    ["--orchestrator", ["run", "--orchestrator", "A", "--orchestrator=B"]],
    ["--json", ["run", "--json", "a.json", "--json", "b.json"]],
    ["--port", ["serve", "--port", "0", "--port", "0"]],
    ["--connection-string", ["doctor", "--connection-string", "hunter2", "--connection-string", "hunter3"]],
    ["--port", ["worker", "--port", "1", "--port", "2"]],
    ["--run", ["status", "--run", "a", "--run", "b"]],
    ["--older-than", ["purge", "--older-than", "7d", "--older-than", "1d", "--yes"]],
    ["--noise-threshold", ["compare", "--noise-threshold", "1%", "a", "b", "--noise-threshold", "2%"]],
    ["--retention", ["emulator", "--retention", "1d", "--retention", "2d"]],
  ])("%s is refused if it is given twice: %j", async (flag, args) => {
    const { code, stdout, stderr } = await fanoutHere(args);
    const message = `error: ${flag}: expected one value, found the flag twice; leave one of them out\n`;
    expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: message });
  });

  test("does not include repeatable flags", async () => {
    const labels = ["--label", "a=1", "--label", "b=2", "--threshold", "p99<9s", "--threshold", "p90<9s"];
    const { code, stderr } = await fanout(["run", "--dry-run", "--rate", "100/s", "--duration", "1m", ...labels]);
    expect({ code, stderr }).toMatchObject({ code: 0 });
  });
});

test.each([
  ["--input-bytes", "2MB"],
  ["--output-bytes", "64k"],
  ["--input-bytes", "1 MiB"],
  ["--output-bytes", "1,000"],
  ["--input-bytes", "0.5mb"],
])("%s takes %s", async (flag, value) => {
  const { code, stderr } = await fanoutHere(["run", "--dry-run", flag, value]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
});

describe("help", () => {
  test.each(WAYS_TO_ASK_FOR_HELP)("of `fanout %s %s` has examples and ends with 0", async (...command) => {
    const { code, stdout, stderr } = await fanoutHere([...command.filter((word) => word !== undefined), "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^Usage: fanout/u);
    expect(stdout).toMatch(/Examples:\n {2}\$ fanout/u);
  });

  test("without a command is a usage error, on stderr", async () => {
    const { code, stdout, stderr } = await fanout([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^Usage: fanout/u);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk under its output is an error that says so", async () => {
    const full = openSync("/dev/full", "w");
    const child = spawn(process.execPath, [FANOUT, "--help"], { stdio: ["ignore", full, "pipe"] });
    closeSync(full);
    const [stderr, [code]] = await Promise.all([text(child.stderr!), once(child, "exit") as Promise<[number]>]);
    expect(stderr).toContain("error: the standard output cannot be written: ENOSPC: no space left on device");
    expect(code).toBe(1);
  });

  test("into a pipe that closes early causes no error", async () => {
    const child = spawn(process.execPath, [FANOUT, "--help"], { stdio: ["ignore", "pipe", "pipe"] });
    child.stdout.destroy();
    const [stderr] = await Promise.all([text(child.stderr), once(child, "exit")]);
    expect(stderr).toBe("");
    expect(child.exitCode).toBe(0);
  });

  test("--version prints the version of the package", async () => {
    const { version }: { version: string } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    expect(await fanout(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a mistake", () => {
  test.each([
    [["rnu"], "Did you mean run?"],
    [["emulator", "stauts"], "Did you mean status?"],
    [["run", "--iteratons", "3"], "Did you mean --iterations?"],
    [["emulator", "status", "--jsn"], "Did you mean --json?"],
    [["run", "--iterations", "ten"], '--iterations: expected a whole number such as 10, 1,000 or 10k, found "ten"'],
    [["run", "--timeout", "10"], '--timeout: expected a duration such as 500ms, 30s, 1m30s or 2h, found "10"'],
    [["run", "extra"], "too many arguments for 'run'"],
    [["emulator", "stop", "now"], "too many arguments for 'stop'"],
    [
      ["run", "--json", "/missing/result.json"],
      "--json: expected a file that can be written, found /missing/result.json",
    ],
    [["run", "--connection-string", "Endpoint=http://localhost"], "Authentication is missing"],
  ])("%j says what is wrong and ends with 2", async (args, message) => {
    const { code, stdout, stderr } = await fanoutHere(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error: /u);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n +at /u);
  });

  test("shows its stack only with --debug", async () => {
    const { code, stderr } = await fanout(["run", "--iterations", "ten", "--debug"]);
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: expect.stringMatching(/^error: --iterations: .*\n.*\n +at /u) as string,
    });
  });
});

/** A Node that is older than what the SDK needs, if this machine has one beside the project's own. */
const oldNode = (process.env["PATH"] ?? "")
  .split(delimiter)
  .map((folder) => join(folder, "node"))
  .filter((node) => existsSync(node))
  .find((node) => Number(/^v(\d+)/u.exec(execFileSync(node, ["--version"]).toString())?.[1]) < 22);

test.skipIf(oldNode === undefined)("an older Node gets one line with the version that fanout needs", async () => {
  const { code, stdout, stderr } = await fanout(["run"], { node: oldNode! });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: fanout needs Node 22\.13 or newer; this is Node \d+\.\d+\.\d+\n$/u);
});
