import { describe, expect, onTestFinished, test } from "vitest";
import { TestAuthority } from "../support/backend/certificates.js";
import { ConnectProxy } from "../support/backend/connect-proxy.js";
import { SchedulerServer } from "../support/backend/scheduler-server.js";
import { freePort } from "../support/backend/free-port.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

/** No name service has it: only the proxy leads there. */
const HOST = "scheduler.fanout.invalid";
const CREDENTIALS = "somebody:p@ss:word";
const FLAG = ["--connection-string", `Endpoint=https://${HOST};Authentication=None`];

/** A Scheduler that only a proxy leads to, and the variables that name the proxy. */
async function behindProxy(): Promise<{
  readonly place: Workplace;
  readonly server: SchedulerServer;
  readonly proxy: ConnectProxy;
  /** Runs `fanout` with these variables. Neither the password nor what it is sent as is ever said. */
  readonly run: (line: string, variables: Record<string, string>) => Promise<{ code: number | null; output: string }>;
  readonly url: string;
}> {
  const place = await Workplace.open();
  const authority = await TestAuthority.create();
  const server = await SchedulerServer.start(await authority.issue(HOST));
  onTestFinished(async () => {
    server.close();
    await authority.close();
  });
  const proxy = await ConnectProxy.start(server.port, CREDENTIALS);
  const run = async (line: string, variables: Record<string, string>) => {
    const env = { ...place.env, NODE_EXTRA_CA_CERTS: authority.file, ...variables };
    const { code, stdout, stderr } = await place.startProgram(
      process.execPath,
      [FANOUT, ...line.split(" "), ...FLAG],
      env,
    ).ended;
    const output = stdout + stderr;
    for (const secret of ["p@ss", "p%40ss", Buffer.from(CREDENTIALS).toString("base64")])
      expect(output).not.toContain(secret);

    return { code, output };
  };
  return { place, server, proxy, run, url: `http://somebody:p%40ss%3Aword@${proxy.place}` };
}

describe("an endpoint over TLS", () => {
  test("is reached through the proxy of the environment, and a line names the proxy", async () => {
    const { server, proxy, run, url } = await behindProxy();
    const doctor = await run("doctor", { HTTPS_PROXY: url });
    expect(doctor).toMatchObject({ code: 0 });
    expect(doctor.output).toContain(`${proxy.place} of HTTPS_PROXY answers at ${proxy.place}; NO_PROXY does not name`);
    expect(doctor.output).toMatch(new RegExp(`^ok +connection +the proxy connects to ${HOST}:443$`, "mu"));
    expect(doctor.output).toMatch(new RegExp(`^ok +TLS +TLSv1\\.3, certificate of ${HOST},`, "mu"));
    const status = await run("status some-id", { https_proxy: url, HTTPS_PROXY: "http://127.0.0.1:1" });
    expect(status.output).toContain(`through the proxy of https_proxy, ${proxy.place}\n`);
    expect(status.output).toContain('has no instance "some-id"');
    expect(new Set(proxy.targets)).toEqual(new Set([`${HOST}:443`]));
    expect(server.calls.map(({ method }) => method)).toEqual(expect.arrayContaining(["Hello", "GetInstance"]));
  });

  test("reports what a refusing proxy wants, and does not blame the host", async () => {
    const { proxy, run } = await behindProxy();
    const missing = { HTTPS_PROXY: `http://${proxy.place}` };
    const doctor = await run("doctor", missing);
    expect(doctor).toMatchObject({ code: 1 });
    expect(doctor.output).toMatch(
      /^failed +connection +The proxy wants credentials \(407\)\. Set them in HTTPS_PROXY=/mu,
    );
    const wrong = await run("doctor", { HTTPS_PROXY: `http://somebody:p%40ss@${proxy.place}` });
    expect(wrong.output).toContain("The proxy refuses the credentials of HTTPS_PROXY (407)");
    const status = await run("status some-id", missing);
    expect(status).toMatchObject({ code: 1 });
    expect(status.output).toContain(
      `error: The backend does not answer through the proxy of HTTPS_PROXY, ${proxy.place}`,
    );
    expect(status.output).not.toContain("does not resolve");
  });

  test.each(["run", "worker --port 0"])(
    "is refused by %s where http2 was asked for, before anything is sent",
    async (line) => {
      const { proxy, server, run, url } = await behindProxy();
      const { code, output } = await run(`${line} --transport http2`, { HTTPS_PROXY: url });
      expect({ code, output }).toEqual({
        code: 2,
        output:
          `error: --transport http2 does not go through a proxy, and HTTPS_PROXY names ${proxy.place}; leave the flag out, ` +
          `or name ${HOST} in NO_PROXY to go past the proxy\n`,
      });
      expect([proxy.targets, server.calls]).toEqual([[], []]);
    },
  );

  test("is reached without the proxy if NO_PROXY names it", async () => {
    const { proxy, run, url } = await behindProxy();
    const { code, output } = await run("doctor", { HTTPS_PROXY: url, NO_PROXY: "example.com, .fanout.invalid" });
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining("does not resolve") });
    expect(proxy.targets).toEqual([]);
  });

  test("is refused if gRPC cannot use the proxy", async () => {
    const { run } = await behindProxy();
    const { code, output } = await run("status some-id", { HTTPS_PROXY: "socks5://somebody:p%40ss@127.0.0.1:1" });
    expect({ code, output }).toMatchObject({ code: 2, output: expect.stringContaining("found one of socks5") });
  });
});

test("the emulator, embedded or at a port of this machine, is never reached through a proxy", async () => {
  const place = await Workplace.open();
  const proxies = ["http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "grpc_proxy"];
  const env = { ...place.env, ...Object.fromEntries(proxies.map((name) => [name, "http://127.0.0.1:1"])) };
  const port = await freePort();
  const emulator = place.startWith(env, `emulator --ephemeral --port ${port}`);
  await emulator.says(new RegExp(String(port), "u"));
  expect(await place.startWith(env, "run --workers 1 --iterations 1").ended).toMatchObject({ code: 0 });
  const doctor = `doctor --connection-string Endpoint=http://localhost:${port};Authentication=None`;
  expect(await place.startWith(env, doctor).ended).toMatchObject({ code: 0 });
});
