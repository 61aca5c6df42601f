import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { createServer } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { TestAuthority } from "../support/backend/certificates.js";
import { freePort } from "../support/backend/free-port.js";
import { Workplace } from "../support/e2e/workplace.js";

/** An emulator behind something that speaks TLS for it. */
async function behindTls() {
  const place = await Workplace.open();
  const authority = await TestAuthority.create();
  const port = await freePort();
  await place.start(`emulator --ephemeral --port ${port}`).says(new RegExp(String(port), "u"));
  const { key, certificate } = await authority.issue();
  let connections = 0;
  const terminator = createServer({ key, cert: certificate, ALPNProtocols: ["h2"] }, (near) => {
    connections += 1;
    const far = connect(port, "127.0.0.1");
    near.pipe(far).pipe(near);
    near.on("error", () => {}).once("close", () => far.destroy());
    far.on("error", () => {}).once("close", () => near.destroy());
  }).listen(0, "localhost");
  await once(terminator, "listening");
  onTestFinished(async () => {
    terminator.close();
    await authority.close();
  });
  return {
    place,
    endpoint: `Endpoint=https://localhost:${(terminator.address() as AddressInfo).port};Authentication=None`,
    /** Variables of who trusts it. */
    trusting: { ...place.env, NODE_EXTRA_CA_CERTS: authority.file },
    connections: () => connections,
  };
}

test("a run and its workers use TLS with each transport, and the result names the transport", async () => {
  const { place, endpoint, trusting } = await behindTls();
  const flags = `--workers 1 --iterations 2 --json --connection-string ${endpoint}`;
  const ended = await Promise.all(
    ["", "--transport http2 ", "--transport grpc-js "].map(
      (asked) => place.startWith(trusting, `run ${asked}${flags}`).ended,
    ),
  );
  for (const [index, transport] of ["http2", "http2", "grpc-js"].entries()) {
    const { code, stdout, stderr } = ended[index]!;
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(JSON.parse(stdout)).toMatchObject({
      environment: { transport, ownWorkers: 1 },
      counts: { orchestrations: { completed: 1 }, activities: { needed: 10, completed: 10 } },
    });
  }
});

test("a run and a worker refuse an untrusted certificate with each transport, and say so", async () => {
  const { place, endpoint, connections } = await behindTls();
  const expected = "Its TLS certificate is not trusted here: if it is meant to be, name the file of its authority in";
  for (const transport of ["http2", "grpc"]) {
    const flags = `--transport ${transport} --connection-string ${endpoint}`;
    const worker = place.start(`worker --port 0 ${flags}`);
    const { code, stderr } = await place.run(`run --workers 0 ${flags}`);
    expect({ code, stderr }).toMatchObject({ code: 1, stderr: expect.stringContaining(expected) });
    await worker.says(/trying again/u);
    expect(worker.stderr).toContain("unable to verify the first certificate");
  }
  expect(connections()).toBe(0);
});
