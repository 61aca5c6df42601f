import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { TestAuthority } from "../support/backend/certificates.js";
import { GRPC_EMPTY, OddBackend, grpcFailure, type OddAnswer } from "../support/backend/odd-backend.js";
import { SchedulerServer } from "../support/backend/scheduler-server.js";
import { freePort } from "../support/backend/free-port.js";
import { Workplace } from "../support/e2e/workplace.js";

function page(code: number): OddAnswer {
  return { headers: { ":status": code, "content-type": "text/html; charset=utf-8" }, body: "<html>Welcome</html>" };
}

const WEB = "looks like a web server or a proxy, not like a Durable Task backend";
const OTHER = "looks like another gRPC server, not like a Durable Task backend";
const CHECK = "Check the host and the port of the connection string";

describe("an endpoint that is no backend is described by its answers", () => {
  test.each<[string, OddAnswer, string]>([
    [
      "an HTTP server without the page",
      page(404),
      `${WEB}: it answered with HTTP status code 404 instead of gRPC. ${CHECK}`,
    ],
    [
      "an HTTP server with a page",
      page(200),
      `${WEB}: it answered with content type text/html; charset=utf-8 instead of gRPC. ${CHECK}`,
    ],
    [
      "a gRPC server of something else",
      grpcFailure(status.UNIMPLEMENTED, "unknown service"),
      `${OTHER}: it answered Hello with UNIMPLEMENTED (unknown service). ${CHECK}`,
    ],
    [
      "a gRPC server that finds nothing",
      grpcFailure(status.NOT_FOUND, "no such thing"),
      `${OTHER}: it answered Hello with NOT_FOUND (no such thing). ${CHECK}`,
    ],
  ])("%s, by doctor, run and worker", async (_, answer, expected) => {
    const place = await Workplace.open();
    const backend = await OddBackend.start(() => answer);
    const flag = ["--connection-string", backend.connectionString];
    const worker = place.start("worker --port 0", ...flag);
    const doctor = await place.run("doctor", ...flag);
    const run = await place.run("run", ...flag);
    const grpcRun = await place.run("run --transport grpc-js", ...flag);
    expect(doctor).toMatchObject({ code: 1, stdout: expect.stringMatching(/^failed +service +/mu) });
    expect(doctor.stdout).toContain(expected);
    for (const { code, stderr } of [run, grpcRun])
      expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(expected) });

    expect(backend.called.filter((path) => path.endsWith("StartInstance"))).toEqual([]);
    await worker.says(/trying again/u);
    expect(worker.stderr).toContain(expected);
  });

  test("a hub that may not exist is reported as a doubt, by doctor, run and worker", async () => {
    const place = await Workplace.open();
    const backend = await OddBackend.start((path) =>
      path.endsWith("/Hello") ? GRPC_EMPTY : grpcFailure(status.NOT_FOUND, "nothing here"),
    );
    const flags = ["--task-hub", "other", "--connection-string", backend.connectionString];
    const doubt = String.raw`NOT_FOUND \(nothing here\): there may be no task hub other; check TaskHub=`;
    const { stdout } = await place.run("doctor", ...flags);
    expect(stdout).toMatch(new RegExp(`^warning +task hub +GetInstance answers ${doubt}`, "mu"));
    const { code, stderr } = await place.run("run", ...flags);
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(`warning: GetInstance answers ${doubt}`),
    });
    await place.start("worker --port 0", ...flags).says(new RegExp(`trying again \\(${doubt}`, "u"));
  });
});

test("a fanout emulator at a port is recognised, so that its actions need no --max-actions", async () => {
  const place = await Workplace.open();
  const port = await freePort();
  const emulator = place.start(`emulator --ephemeral --port ${port}`);
  await emulator.says(new RegExp(String(port), "u"));
  const flag = ["--connection-string", `Endpoint=http://localhost:${port};Authentication=None`];
  const doctor = await place.succeed("doctor", ...flag);
  expect(doctor.stdout).toMatch(/^ok +service +http:\/\/localhost:\d+ is a fanout emulator, version \d/mu);
  const run = place.start(
    "run --workers 0 --worker-timeout 10m --parallel-orchestrations 10 --iterations 2,000",
    ...flag,
  );
  await run.says(/^backend: a fanout emulator at http:\/\/localhost:\d+, version \d\S+, task hub default/mu);
  await run.says(/200,010 actions|actions/u);
  run.kill("SIGTERM");
  expect((await run.ended).code).toBe(143);
});

test("an IP address over TLS is checked against the certificate, without a warning of Node", async () => {
  const place = await Workplace.open();
  const authority = await TestAuthority.create();
  onTestFinished(() => authority.close());
  const env = { ...place.env, NODE_EXTRA_CA_CERTS: authority.file };
  const outcomes = [];
  for (const address of ["127.0.0.1", "192.0.2.1"]) {
    const server = await SchedulerServer.start(await authority.issue("localhost", address));
    onTestFinished(() => server.close());
    const line = `status some-id --connection-string Endpoint=https://127.0.0.1:${server.port};Authentication=None`;
    const { stderr } = await place.startWith(env, line).ended;
    expect(stderr).not.toContain("Warning");
    outcomes.push(stderr);
  }
  expect(outcomes[0]).toContain('has no instance "some-id"');
  expect(outcomes[1]).toContain("Its TLS certificate is for another name than Endpoint=https://127.0.0.1");
});
