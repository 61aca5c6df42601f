import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import type { OpenOptions } from "../../../src/backend/open-backend.js";
import { diagnose } from "../../../src/diagnosis/diagnose.js";
import type { Finding } from "../../../src/diagnosis/finding.js";
import { TestAuthority, type Identity } from "../../support/backend/certificates.js";
import { SchedulerServer } from "../../support/backend/scheduler-server.js";

const EXPIRES_S = Math.floor(Date.now() / 1000) + 3_600;
const PAYLOAD = Buffer.from(JSON.stringify({ tid: "tenant-1", exp: EXPIRES_S, upn: "somebody" })).toString("base64url");
const TOKEN = `eyJhbGciOiJub25lIn0.${PAYLOAD}.c2lnbmF0dXJl`;
const trusted = getCACertificates("default");

const credentialFor: NonNullable<OpenOptions["credentialFor"]> = () =>
  Promise.resolve({
    getToken: () => Promise.resolve({ token: TOKEN, expiresOnTimestamp: EXPIRES_S * 1000 }),
  });

let authority: TestAuthority;
let localhost: Identity;
let server: SchedulerServer;
let stateFolder: string;

beforeAll(async () => {
  authority = await TestAuthority.create();
  localhost = await authority.issue();
});

afterAll(() => authority.close());

beforeEach(async () => {
  stateFolder = mkdtempSync(join(tmpdir(), "fanout-doctor-"));
  process.env["FANOUT_STATE_DIR"] = stateFolder;
  setDefaultCACertificates([...trusted, await authority.certificate()]);
  server = await SchedulerServer.start(localhost);
});

afterEach(() => {
  server.close();
  setDefaultCACertificates(trusted);
  delete process.env["FANOUT_STATE_DIR"];
  rmSync(stateFolder, { recursive: true });
});

/** The findings by name. None may hold the token. */
async function findings(flag: string, options: OpenOptions = { credentialFor }): Promise<Map<string, Finding>> {
  const found = new Map<string, Finding>();
  for await (const finding of diagnose({ flag, env: {} }, options)) found.set(finding.name, finding);

  const text = JSON.stringify([...found.values()]);
  expect(text).not.toContain(TOKEN);
  expect(text).not.toContain("somebody");
  return found;
}

const secure = (): string => `Endpoint=https://localhost:${server.port};Authentication=AzureCli;TaskHub=hub-1`;
const outcomes = (found: ReadonlyMap<string, Finding>): string[] =>
  [...found.values()].map(({ name, outcome }) => `${name} ${outcome}`);

test("a healthy Scheduler is ok at every check, and nothing is started on it", async () => {
  const found = await findings(secure());
  expect(Object.fromEntries([...found].map(([name, { outcome, detail }]) => [name, `${outcome}: ${detail}`]))).toEqual({
    configuration: "ok: the connection string comes from --connection-string",
    "connection string": `ok: https://localhost:${server.port}, Authentication=AzureCli, task hub hub-1`,
    host: expect.stringMatching(/^ok: localhost resolves to (127\.0\.0\.1|::1)/u),
    connection: expect.stringMatching(/^ok: .*:\d+ answers$/u),
    TLS: "ok: TLSv1.3, certificate of localhost, valid for 1 more day",
    token: `ok: Authentication=AzureCli, tenant tenant-1, expires at ${new Date(EXPIRES_S * 1000).toISOString()}`,
    service: `ok: https://localhost:${server.port} answers Hello`,
    "task hub": `ok: hub-1 on https://localhost:${server.port} answers`,
    "work of others": "ok: task hub hub-1 has nothing unfinished",
    workers: "skipped: this backend does not report its workers",
    "round trip": expect.stringMatching(/^ok: p50 [\d.]+ ms of 11 calls$/u),
    "clock offset": expect.stringMatching(
      /^ok: the backend's clock against this one: from -[01]\.\d s to \+[01]\.\d s/u,
    ),
    version: expect.stringContaining(`on Node ${process.versions.node}`),
    "state folder": `ok: ${stateFolder} can be written to`,
  });
  expect(new Set(server.calls.map(({ method }) => method))).toEqual(
    new Set(["GetInstance", "QueryInstances", "Hello"]),
  );
});

test("http without a credential needs neither TLS nor a token", async () => {
  server.close();
  server = await SchedulerServer.start();
  const found = await findings(`Endpoint=http://localhost:${server.port};Authentication=None`);
  expect(found.get("TLS")).toMatchObject({ outcome: "ok", detail: expect.stringContaining("http") });
  expect(found.get("token")).toMatchObject({ outcome: "ok", detail: expect.stringContaining("None") });
  expect(found.get("round trip")).toMatchObject({ outcome: "ok" });
});

test.each<[string, () => string, string, string]>([
  ["a string that is wrong", () => "Endpoint=x", "connection string", "Authentication is missing"],
  ["a host that does not resolve", () => "Endpoint=nobody.invalid;Authentication=None", "host", "does not resolve"],
  ["nobody at the port", () => "Endpoint=http://127.0.0.1:1;Authentication=None", "connection", "ECONNREFUSED"],
  ["http where there is TLS", () => `Endpoint=http://localhost:${server.port};Authentication=None`, "service", "https"],
])("%s fails at its check, and the later checks are skipped", async (_, flag, name, detail) => {
  const found = await findings(flag());
  expect(found.get(name)).toMatchObject({ outcome: "failed", detail: expect.stringContaining(detail) });
  const names = [...found.keys()];
  for (const behind of names.slice(names.indexOf(name) + 1, names.indexOf("version")))
    expect(found.get(behind)).toMatchObject({ outcome: "skipped" });

  expect(outcomes(found).slice(-2)).toEqual(["version ok", "state folder ok"]);
});

test("a certificate that is not trusted fails at TLS", async () => {
  setDefaultCACertificates(trusted);
  expect((await findings(secure())).get("TLS")).toMatchObject({
    outcome: "failed",
    detail: expect.stringContaining("NODE_EXTRA_CA_CERTS"),
  });
});

test("a certificate for another name fails at TLS", async () => {
  server.close();
  server = await SchedulerServer.start(await authority.issue("scheduler.example"));
  expect((await findings(secure())).get("TLS")).toMatchObject({
    outcome: "failed",
    detail: expect.stringContaining("another name"),
  });
});

test.each([
  ["another protocol", ["http/1.1"]],
  ["no protocol", undefined],
])("a server over TLS that agrees on %s fails at TLS", async (_, protocols) => {
  const { key, certificate } = localhost;
  const web = createHttpsServer({ key, cert: certificate, ...(protocols && { ALPNProtocols: protocols }) });
  web.listen(0, "localhost");
  await once(web, "listening");
  onTestFinished(() => void web.close());
  const found = await findings(`Endpoint=https://localhost:${(web.address() as AddressInfo).port};Authentication=None`);
  expect(found.get("TLS")).toMatchObject({
    outcome: "failed",
    detail: expect.stringMatching(/There is TLS.*, but no HTTP\/2: check that the port is the gRPC port\.$/u),
  });
});

test("a credential that is missing fails at the token, and is not shown", async () => {
  const error = Object.assign(new Error(TOKEN), { name: "CredentialUnavailableError" });
  const found = await findings(secure(), { credentialFor: () => Promise.reject(error) });
  expect(found.get("token")).toMatchObject({ outcome: "failed", detail: expect.stringContaining("az login") });
  expect(found.get("task hub")).toMatchObject({ outcome: "skipped" });
  expect(server.calls).toEqual([]);
});

test("a token that is refused fails at the first call", async () => {
  server.refuse = () => ({ code: status.UNAUTHENTICATED, details: TOKEN });
  expect((await findings(secure())).get("service")).toMatchObject({
    outcome: "failed",
    detail: expect.stringContaining("refused the token"),
  });
});

test("a missing instance is no fault of the hub", async () => {
  server.refuse = ({ method }) =>
    method === "GetInstance" ? { code: status.NOT_FOUND, details: "no such instance" } : undefined;
  expect((await findings(secure())).get("task hub")).toMatchObject({ outcome: "ok" });
});
