import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ERROR_CODES, sentences, type ErrorCode, type ErrorFacts } from "../../src/errors.js";
import { fiveRunsOf } from "../support/report/compared-runs.js";
import { Workplace } from "../support/e2e/workplace.js";

const AZURE = "Authentication=DefaultAzure;TaskHub=h";

interface Row {
  readonly code: ErrorCode;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Command lines with `--json` that fail before they print anything else. */
const ROWS: readonly Row[] = [
  { code: "unknown-command", args: ["statsu", "--json"] },
  { code: "unknown-flag", args: ["run", "--json", "--iteratons", "5"] },
  { code: "invalid-usage", args: ["doctor", "--json", "now"] },
  { code: "missing-flag", args: ["run", "--json", "--rate", "5/s"] },
  { code: "missing-flag", args: ["run", "--json", "--grace", "1s"] },
  { code: "missing-flag", args: ["run", "--json", "--iterations"] },
  { code: "missing-flag", args: ["status", "--json", "--watch"] },
  { code: "missing-flag", args: ["compare", "base.json", "--json"] },
  { code: "missing-flag", args: ["compare", "base.json", "base.json", "--repeat", "2", "--json"] },
  { code: "conflicting-flags", args: ["run", "--json", "--rate", "5/s", "--total", "9"] },
  { code: "conflicting-flags", args: ["run", "--iterations", "1", "--iterations", "2", "--json"] },
  { code: "conflicting-flags", args: ["compare", "base.json", "--run", "", "--run", "", "--json"] },
  { code: "conflicting-flags", args: ["status", "--json", "x", "--run", "rmwvaxyifz2wa"] },
  { code: "invalid-value", args: ["run", "--json", "--iterations", "none", "--workers", "many"] },
  { code: "invalid-value", args: ["run", "--json", "--metrics-port", "99999"] },
  { code: "invalid-value", args: ["run", "--json", "--otlp", "localhost:4318"] },
  { code: "invalid-value", args: ["run", "--json", "--transport", "tcp"] },
  { code: "invalid-value", args: ["run", "--json", "--input", "{", "--orchestrator", "Order"] },
  { code: "invalid-value", args: ["status", "--json", "--run", "of last night"] },
  { code: "invalid-value", args: ["compare", "base.json", "base.json", "--noise-threshold", "few", "--json"] },
  { code: "invalid-load", args: ["run", "--json", "--iterations", "10,000", "--parallel-activities", "10,000"] },
  { code: "invalid-load", args: ["run", "--json", "--rate", "10,000/s", "--duration", "24h"] },
  { code: "invalid-threshold", args: ["run", "--json", "--threshold", "p99 is low"] },
  { code: "unmeasurable-threshold", args: ["run", "--json", "--threshold", "p99<1s", "--threshold", "errors<1%"] },
  { code: "unusable-baseline", args: ["run", "--json", "--baseline", "interrupted.json"] },
  { code: "incomparable-runs", args: ["compare", "base.json", "base.json", "--json"] },
  { code: "invalid-side", args: ["compare", "--run", "", "--json"] },
  { code: "invalid-side", args: ["compare", "--run", "", "--run", "--csv x", "--json"] },
  { code: "side-refused", args: ["compare", "--run", "", "--run", "--total none", "--json"] },
  { code: "exposed-credential", args: ["status", "--json", "--connection-string", `Endpoint=http://h;${AZURE}`] },
  {
    code: "exposed-credential",
    args: ["compare", "--run", "", "--run", `--connection-string 'Endpoint=https://h;${AZURE}'`, "--json"],
  },
  { code: "invalid-connection-string", args: ["status", "--json", "--connection-string", "garbage"] },
  {
    code: "invalid-proxy",
    args: ["status", "--json", "--connection-string", "Endpoint=https://h;Authentication=None"],
    env: { HTTPS_PROXY: "socks5://proxy" },
  },
  {
    code: "unsupported-transport",
    args: ["run", "--json", "--transport", "link", "--connection-string", "Endpoint=http://h;Authentication=None"],
  },
  { code: "invalid-file", args: ["compare", "missing.json", "base.json", "--json"] },
  { code: "invalid-file", args: ["run", "--json", "--orchestrator", "Order", "--input", "@missing"] },
  { code: "unmergeable-results", args: ["merge", "base.json", "--json"] },
  { code: "unwritable-file", args: ["run", "--json", "--html", "folder"] },
  { code: "results-in-the-way", args: ["compare", "other.json", "other.json", "--html", "base.json", "--json"] },
  { code: "unusable-state-folder", args: ["emulator", "status", "--json"], env: { FANOUT_STATE_DIR: "base.json/x" } },
  { code: "unavailable-address", args: ["run", "--json", "--metrics-port", "PORT"] },
  { code: "unavailable-address", args: ["run", "--json", "--live", "PORT"] },
  {
    code: "spend-limit",
    args: [
      "run",
      "--json",
      "--total",
      "9,000",
      "--connection-string",
      "Endpoint=http://127.0.0.1:1;Authentication=None",
    ],
  },
  {
    code: "backend-unreachable",
    args: ["status", "--json", "--connection-string", "Endpoint=http://127.0.0.1:1;Authentication=None"],
  },
  { code: "run-not-found", args: ["status", "--json", "--run", "rmwvaxyifz2wa"] },
];

/** Codes of a command line that no command with `--json` ends with here, and why. */
const ELSEWHERE: Readonly<Partial<Record<ErrorCode, string>>> = {
  "invalid-settings": "needs a working folder of its own",
  "api-key-needed": "of `serve`",
  "start-time-passed": "needs a machine that is slow to begin a run",
  "run-id-taken": "needs the instances of another run",
  "confirmation-needed": "of `purge`, `terminate` and `emulator reset`",
  "foreign-work": "of `purge` and `terminate`",
  "wrong-backend": "of `soak --resume`",
  "soak-running": "of `soak --resume`",
};

/** `{ error }` on stdout, and the same as text on stderr. */
function factsIn({ code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): ErrorFacts {
  const { error } = JSON.parse(stdout) as { error: ErrorFacts };
  const text = [error, ...(error.more ?? [])]
    .map(({ message, hint }) => `error: ${sentences(message, hint)}\n`)
    .join("");
  expect(stderr.endsWith(text) || stderr === parserText(error)).toBe(true);
  expect(code).toBe(error.code === "backend-unreachable" || error.code === "run-not-found" ? 1 : 2);
  return error;
}

/** What the parser prints puts its suggestion into brackets, on a line of its own. */
function parserText({ message, hint }: ErrorFacts): string {
  return `error: ${message}\n${hint === undefined ? "" : `(${hint})\n`}`;
}

test("every command with --json prints the code of its error there, and the same text to stderr", async () => {
  const place = await Workplace.open();
  await mkdir(join(place.folder, "folder"));
  const [base, ...others] = fiveRunsOf("base", { rate: 1_600, p50: 6_000, p99: 11_000 });
  const files = { base, other: others[0], interrupted: { ...base, interrupted: true } };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(place.folder, `${name}.json`), JSON.stringify(content));
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  for (const { code, args, env = {} } of ROWS) {
    const words = args.map((word) => word.replace("PORT", `${port}`));
    const [command = "", ...more] = words;
    const ended = await place.runWith(env, command, ...more);
    expect({ words, ended, code: factsIn(ended).code }).toEqual({ words, ended, code });
  }
});

test("every code of a command line has a row", () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const ofCommandLine = codes.slice(0, codes.indexOf("backend-unreachable"));
  const reached = new Set([...ROWS.map(({ code }) => code), ...(Object.keys(ELSEWHERE) as ErrorCode[])]);
  expect(ofCommandLine.filter((code) => !reached.has(code))).toEqual([]);
});
