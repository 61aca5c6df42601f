import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Workplace } from "../support/e2e/workplace.js";

const SIDES = "compare --run --total=1 --run --total=2";

/** What is wrong, and what each command that meets it is called with. */
const WRONG: readonly {
  readonly what: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly lines: readonly string[];
  /** Those of which other processes, or a server, are a part. */
  readonly processes?: readonly string[];
  readonly says: RegExp;
}[] = [
  {
    what: "a state folder that is none",
    env: { FANOUT_STATE_DIR: "file/state" },
    lines: ["run", "status", "terminate --run x --yes", "doctor", "emulator status"],
    processes: ["serve --port 0", "worker --port 0", SIDES],
    says: /The state folder '[^']*file\/state' .*FANOUT_STATE_DIR/u,
  },
  {
    what: "a connection string that is none",
    env: { DURABLE_TASK_CONNECTION_STRING: "garbage" },
    lines: ["run", "status", "terminate --run x --yes", "doctor", "serve --port 0", "worker --port 0"],
    says: /The connection string of DURABLE_TASK_CONNECTION_STRING: .* has to be Key=Value/u,
  },
  {
    what: "a file that cannot be read",
    lines: [
      "report folder",
      "compare folder file",
      "run --baseline folder",
      "run --orchestrator Order --input @folder",
    ],
    says: /EISDIR|ENOENT/u,
  },
  {
    what: "a file that holds something else",
    lines: ["report file", "compare file -- file"],
    says: /file: expected the JSON that `fanout run --json FILE` wrote, found what is no JSON/u,
  },
  {
    what: "a file that cannot be written",
    lines: ["run --json folder", "compare file file --html folder"],
    says: /expected a file, found the folder folder/u,
  },
  {
    what: "one file for two forms",
    lines: ["compare file file --markdown out --html ./out"],
    says: /^error: --markdown and --html: expected a file for each, found \.\/out for both/u,
  },
  {
    what: "a setting of the emulator that is none",
    env: { FANOUT_RETENTION: "garbage" },
    lines: ["emulator"],
    processes: ["run"],
    says: /FANOUT_RETENTION: expected .* found "garbage"/u,
  },
  {
    what: "a port that is in use",
    lines: ["serve --port PORT", "worker --port PORT"],
    processes: ["emulator --port PORT", "run --metrics-port PORT"],
    says: /\b\d+ (?:on 127\.0\.0\.1 )?is (?:in use|taken)\b.* Choose another/u,
  },
];

test("every command ends with 2 and one line on a configuration that it cannot use", async () => {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "file"), "garbage");
  await mkdir(join(place.folder, "folder"));
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  for (const { what, env = {}, lines, processes = [], says } of WRONG) {
    for (const line of [...lines, ...processes]) {
      const command = line.replace("PORT", `${port}`);
      const { code, stdout, stderr } = processes.includes(line)
        ? await place.startWith({ ...place.env, ...env }, command).ended
        : await place.runWith(env, command);
      const said = stdout + stderr;
      expect({ what, line, code, said }).toEqual({ what, line, code: 2, said: expect.stringMatching(says) as string });
      expect(said).not.toMatch(/internal error|^ +at /mu);
    }
  }
});
