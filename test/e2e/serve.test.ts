import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import { createServer } from "node:net";
import { once } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { freePort } from "../support/backend/free-port.js";
import { Workplace } from "../support/e2e/workplace.js";

const LISTENING = /^Orchestration API on http:\/\/127\.0\.0\.1:(\d+),/mu;

const KEY_OF_15 = "correct-horse-b";

describe("serve", () => {
  test("finishes the requests in progress after SIGTERM", async () => {
    const place = await Workplace.open();
    const serve = place.start("serve --port 0");
    const [, port] = await serve.says(LISTENING);
    await serve.says(/^Connected to/mu);
    const request = halfSent(Number(port), '{"parallelOrchestrations":20');
    // The server has it, and waits for the rest.
    await once(request, "continue");
    serve.kill("SIGTERM");
    await serve.says(/^Finishing the requests in progress/mu);
    await expect(fetch(`http://127.0.0.1:${port}/healthz`)).rejects.toThrow("fetch failed");
    request.end("}");
    const [response] = (await once(request, "response")) as [IncomingMessage];
    expect(response.statusCode).toBe(202);
    expect(await response.toArray()).not.toEqual([]);
    expect((await serve.ended).code).toBe(0);
    expect((await place.runningEmulator()).instances).toBe(20);
  });

  test("ends at once after a second signal", async () => {
    const place = await Workplace.open();
    const serve = place.start("serve --port 0");
    const [, port] = await serve.says(LISTENING);
    const request = halfSent(Number(port), "{");
    request.on("error", () => {});
    await once(request, "continue");
    serve.kill("SIGTERM");
    await serve.says(/^Finishing the requests in progress/mu);
    // One that follows at once passes for the same keypress: it is told until it listens.
    await vi.waitFor(() => {
      if (serve.running) serve.kill("SIGTERM");
      expect(serve.running).toBe(false);
    }, 20_000);
    expect((await serve.ended).code).toBe(143);
  });

  test("names --port if its port is taken", async () => {
    const place = await Workplace.open();
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const port = typeof address === "object" ? address?.port : 0;
    const { code, stderr } = await place.run(`serve --port ${port}`);
    other.close();
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `error: Port ${port} on 127.0.0.1 is in use. Choose another with --port, or stop what listens there.\n`,
    });
    // It had not begun: no emulator was started.
    expect(await place.emulatorStatus()).toMatchObject({ running: false });
  });

  test.each<[string, string, string]>([
    ["--host 0.0.0.0", "--host 0.0.0.0 is reachable by other machines.", ""],
    ["--host example.com", "--host example.com is reachable by other machines.", ""],
    ["--host :: --port 0", "--host :: is reachable by other machines.", ""],
    ["--port x", '--port: expected a number from 0 (any free port) to 65535, found "x"', ""],
    ["--host http://x", '--host: expected a name or an address of this machine, found "http://x"', ""],
    ["--host 192.0.2.1 --insecure --port 0", "192.0.2.1 is no address of this machine. Choose another with --host", ""],
    ["", "FANOUT_API_KEY: expected letters, digits and signs of ASCII without spaces", "with space"],
    ["", "FANOUT_API_KEY: expected at least 16 characters, found 15. `openssl rand -hex 16` makes a key.", KEY_OF_15],
    [`--api-key ${KEY_OF_15}`, "--api-key: expected at least 16 characters, found 15.", ""],
    ["--allowed-host https://x", "--allowed-host: expected a name without a port, such as", ""],
    ["--allowed-host x:80", "--allowed-host: expected a name without a port, such as", ""],
  ])("refuses %s", async (flags, message, key) => {
    const place = await Workplace.open();
    const { code, stderr } = await place.runWith({ FANOUT_API_KEY: key }, `serve ${flags}`.trim());
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(`error: ${message}`) });
    if (key !== "") expect(stderr).not.toContain(key);
  });

  test("starts while its backend is away, says so, and serves once the backend is there", async () => {
    const place = await Workplace.open();
    const backendPort = await freePort();
    const backend = `Endpoint=http://127.0.0.1:${backendPort};Authentication=None`;
    const env = { ...place.env, FANOUT_API_KEY: "correct-horse-battery", DURABLE_TASK_CONNECTION_STRING: backend };
    const serve = place.startWith(env, "serve --port 0");
    const [, port] = await serve.says(LISTENING);
    await serve.says(/^The backend does not answer yet, trying again/mu);
    const ready = async (): Promise<number> => (await fetch(`http://127.0.0.1:${port}/readyz`)).status;
    expect(await ready()).toBe(503);
    const emulator = place.start(`emulator --port ${backendPort}`);
    await serve.says(/^Connected to http:\/\/127\.0\.0\.1:\d+, task hub default/mu);
    expect(await ready()).toBe(200);
    const url = `http://127.0.0.1:${port}/api/orchestrations`;
    expect((await fetch(url, { method: "POST" })).status).toBe(401);
    expect((await fetch(url, { method: "POST", headers: { "x-api-key": "correct-horse-battery" } })).status).toBe(202);
    serve.kill("SIGINT");
    const { code, stderr, stdout } = await serve.ended;
    expect(code).toBe(0);
    expect(stdout + stderr).not.toContain("correct-horse-battery");
    emulator.kill("SIGINT");
    await emulator.ended;
  });
});

/** A start whose headers and first bytes are there; the rest is for the test to send. */
function halfSent(port: number, start: string): ClientRequest {
  const headers = { "content-type": "application/json", expect: "100-continue", "transfer-encoding": "chunked" };
  const target = { host: "127.0.0.1", port, path: "/api/orchestrations", method: "POST", headers };
  const request = httpRequest(target);
  request.flushHeaders();
  request.write(start);
  return request;
}
