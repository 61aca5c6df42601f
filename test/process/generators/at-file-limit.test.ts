import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

const DIST = new URL("../../../dist/", import.meta.url);

/** Runs `code` in a process that has no file descriptor left, and returns what it prints. `release` gives some back, or all. */
async function atFileLimit(code: string): Promise<unknown> {
  const script = `
    import { closeSync, openSync } from "node:fs";
    const { GeneratorProcess } = await import("${new URL("generators/generator-process.js", DIST).href}");
    const { ensureEmulator } = await import("${new URL("backend/emulator-launcher.js", DIST).href}");
    const { OwnWorkers } = await import("${new URL("own-workers/own-workers.js", DIST).href}");
    const taken = [];
    try { for (;;) taken.push(openSync("/dev/null")); } catch {}
    const release = (count = taken.length) => taken.splice(0, count).forEach((descriptor) => closeSync(descriptor));
    ${code}
  `;
  const args = ["-c", 'ulimit -n 64; exec "$0" "$@"', process.execPath, "--input-type=module", "--eval", script];
  const { stdout } = await promisify(execFile)("/bin/sh", args);
  return JSON.parse(stdout);
}

test.skipIf(process.platform === "win32")(
  "a generator process that cannot be started for lack of file descriptors has died, and says why",
  async () => {
    const end = await atFileLimit(`
      const generator = new GeneratorProcess(() => {}, "/nowhere.js");
      generator.prepare({});
      const end = await generator.ended;
      release();
      console.log(JSON.stringify(end));
    `);
    expect(end).toEqual({ kind: "died", how: expect.stringMatching(/^could not be started: spawn .* EMFILE$/u) });
  },
);

test.skipIf(process.platform === "win32")(
  "workers that cannot be started for lack of file descriptors are given up, and are no longer there to be stopped",
  async () => {
    const said = await atFileLimit(`
      const lines = [];
      const givenUp = Promise.withResolvers();
      const workers = new OwnWorkers({
        count: 1,
        environment: {},
        timing: { drainPatienceMs: 60_000, firstRestartMs: 1 },
        onLine: (line) => lines.push(line),
        onGivenUp: givenUp.resolve,
      });
      workers.start();
      const reason = await givenUp.promise;
      await workers.stop();
      release();
      console.log(JSON.stringify({ reason, first: lines[0] }));
    `);
    expect(said).toEqual({
      reason: expect.stringMatching(/^worker 1 .* it is not started again/u),
      first: expect.stringMatching(/^worker 1: spawn .* EMFILE$/u),
    });
  },
);

test.skipIf(process.platform === "win32")(
  "an emulator that cannot be started for lack of file descriptors is an error of the start",
  async () => {
    const folder = await mkdtemp(join(tmpdir(), "at-file-limit-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const error = await atFileLimit(`
      const folder = ${JSON.stringify(folder)};
      // One for the socket on which no emulator answers, and one for the log.
      release(2);
      const started = ensureEmulator({ folder, log: folder + "/emulator.log", socket: folder + "/emulator.sock" });
      const error = await started.catch(({ code, message }) => ({ code, message }));
      release();
      console.log(JSON.stringify(error));
    `);
    expect(error).toEqual({ code: "emulator-not-started", message: expect.stringMatching(/ spawn .* EMFILE\./u) });
  },
);
