import { existsSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { ERROR_CODES } from "../../src/errors.js";
import { TestAuthority } from "../support/backend/certificates.js";
import { SchedulerServer } from "../support/backend/scheduler-server.js";
import { Workplace } from "../support/e2e/workplace.js";

const diagnosis = z.strictObject({
  schemaVersion: z.literal(1),
  ok: z.boolean(),
  checks: z.array(
    z.strictObject({
      name: z.string(),
      outcome: z.enum(["ok", "warning", "failed", "skipped"]),
      detail: z.string().min(1),
      code: z.enum(Object.keys(ERROR_CODES)).optional(),
    }),
  ),
});

const DEAD_END = "Endpoint=http://127.0.0.1:1;Authentication=None";

test("on the embedded emulator every line is ok", async () => {
  const place = await Workplace.open();
  const { stdout, stderr } = await place.succeed("doctor");
  const lines = stdout.trimEnd().split("\n");
  expect(lines.map((line) => line.split(/ {2,}/u)[1])).toEqual([
    "configuration",
    "connection string",
    "emulator",
    "task hub",
    "work of others",
    "workers",
    "round trip",
    "clock offset",
    "version",
    "state folder",
  ]);
  expect(lines.every((line) => line.startsWith("ok "))).toBe(true);
  expect(stdout).toMatch(/^ok +workers +0 workers connected to task hub default/mu);
  expect(stdout).toMatch(/^ok +round trip +p50 [\d.]+ m?s of 11 calls$/mu);
  expect(stdout).toContain(`${place.stateFolder} can be written to`);
  expect(stderr).toContain("started the embedded emulator");
  expect(await place.runningEmulator()).toMatchObject({ instances: 0 });
});

test("a connected worker is counted", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  expect((await place.succeed("doctor")).stdout).toMatch(/^ok +workers +1 worker connected to task hub default$/mu);
});

test("names the step that fails on a dead endpoint, skips the later ones, and exits with 1", async () => {
  const place = await Workplace.open();
  const { code, stdout } = await place.run("doctor --json --connection-string", DEAD_END);
  const { ok, checks } = diagnosis.parse(JSON.parse(stdout));
  expect({ code, ok }).toEqual({ code: 1, ok: false });
  expect(checks.filter(({ outcome }) => outcome === "failed")).toEqual([
    {
      name: "connection",
      outcome: "failed",
      detail: expect.stringContaining("connect ECONNREFUSED 127.0.0.1:1"),
      code: "backend-unreachable",
    },
  ]);
  expect(checks.filter(({ outcome }) => outcome === "skipped").map(({ name }) => name)).toEqual([
    "TLS",
    "token",
    "service",
    "task hub",
    "work of others",
    "workers",
    "round trip",
    "clock offset",
  ]);
  expect(existsSync(`${place.stateFolder}/emulator.db`)).toBe(false);
});

test("a wrong connection string is a finding that repeats none of its values", async () => {
  const place = await Workplace.open();
  const text = "Endpoint=http://host.example;Authentication=AzureCli;TenantId=hunter2-secret";
  const { code, stdout, stderr } = await place.run("doctor --connection-string", text);
  expect(code).toBe(2);
  expect(stdout).toMatch(/^failed +connection string +.*a credential is never sent over http/mu);
  expect(stdout + stderr).not.toContain("hunter2-secret");
});

test("--json reports the same as the lines", async () => {
  const place = await Workplace.open();
  const { ok, checks } = diagnosis.parse(JSON.parse((await place.succeed("doctor --json")).stdout));
  expect(ok).toBe(true);
  expect(checks.every(({ outcome }) => outcome === "ok")).toBe(true);
});

test("over TLS it trusts the authority of NODE_EXTRA_CA_CERTS, and names that variable if the certificate is not trusted", async () => {
  const place = await Workplace.open();
  const authority = await TestAuthority.create();
  const server = await SchedulerServer.start(await authority.issue());
  onTestFinished(async () => {
    server.close();
    await authority.close();
  });
  const line = `doctor --connection-string Endpoint=localhost:${server.port};Authentication=None`;
  const stranger = await place.startWith(place.env, line).ended;
  expect(stranger).toMatchObject({ code: 1, stdout: expect.stringMatching(/^failed +TLS .*NODE_EXTRA_CA_CERTS/mu) });
  const friend = await place.startWith({ ...place.env, NODE_EXTRA_CA_CERTS: authority.file }, line).ended;
  expect(friend).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^ok +TLS .*TLSv1\.3, certificate of localhost/mu),
  });
});
