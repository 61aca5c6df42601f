import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import { expect, test } from "vitest";
import { runWorkerCommand } from "../../../src/commands/worker.js";
import { UsageError } from "../../../src/errors.js";
import { ExitCode } from "../../../src/exit-codes.js";

/** Nobody listens on the port of tcpmux. */
const NOBODY = "Endpoint=http://127.0.0.1:1;Authentication=None;TaskHub=hub-1";

test.each(["", "abc", "-1", "65536", "1.5"])("the port %j is an error of usage that names --port", async (port) => {
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  const error: unknown = await runWorkerCommand({ port, connectionString: NOBODY }, io).catch(
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toContain(`--port: expected a number from 0 (any free port) to 65535, found "${port}"`);
});

test.each([
  [{ host: "a b" }, '--host: expected a name or an address of this machine, found "a b"'],
  [{ http: false, port: "5001" }, "--port: expected it without --no-http"],
  [{ http: false, host: "::" }, "--host: expected it without --no-http"],
  [{ drainTimeout: "soon" }, "--drain-timeout: expected a duration"],
  [{ log: "xml" }, '--log: expected lines or json, found "xml"'],
])("%j is an error of usage", async (flags, problem) => {
  const io = { stdout: new PassThrough(), stderr: new PassThrough() };
  await expect(runWorkerCommand({ connectionString: NOBODY, ...flags }, io)).rejects.toThrow(problem);
});

test("it answers /status while the backend is away, and a signal ends it with 0", async () => {
  const stderr = new PassThrough();
  const lines = createInterface({ input: stderr })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => String((await lines.next()).value);
  const exitCode = runWorkerCommand({ port: "0", connectionString: NOBODY }, { stdout: new PassThrough(), stderr });
  const url = /^Status on (.+)$/u.exec(await nextLine())?.[1] ?? "";
  expect(await nextLine()).toMatch(
    /^No connection to http:\/\/127\.0\.0\.1:1, task hub hub-1, trying again \(UNAVAIL/u,
  );
  expect((await fetch(url)).status).toBe(200);
  expect((await fetch(new URL("/ready", url))).status).toBe(503);
  process.emit("SIGTERM", "SIGTERM");
  expect(await nextLine()).toBe("Draining: 0 work items in flight. A second signal exits at once.");
  expect(await nextLine()).toBe("Drained: 0 activities completed.");
  expect(await exitCode).toBe(ExitCode.Success);
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});
