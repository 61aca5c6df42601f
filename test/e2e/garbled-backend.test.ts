import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { MACHINE_TIME } from "../../src/emulator/clock/machine-time.js";
import { serveGrpc } from "../../src/emulator/transport/grpc/connection.js";
import { handlersOf, unary, type Handler } from "../../src/emulator/service/call.js";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { Workplace } from "../support/e2e/workplace.js";

/** A message of seven bytes whose first field says that it is 4 GiB long. */
const GARBLED = Buffer.of(0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x01);
const ANSWERED = ["StartInstance", "GetInstance", "WaitForInstanceCompletion", "QueryInstances", "ListInstanceIds"];

/** An orchestrator's work item whose request cannot be read. */
function garbledItem(): Uint8Array {
  const item = new pb.WorkItem();
  item.setCompletiontoken("token");
  const framed = Buffer.from(item.serializeBinary());
  return Buffer.concat([Buffer.of(0x0a, GARBLED.length), GARBLED, framed]);
}

/** The flags that reach a backend which takes every start and garbles all that it says. */
async function garbledBackend(onAbandon: () => void = () => {}): Promise<readonly string[]> {
  const garble = unary((_, answer) => answer(undefined, GARBLED));
  const handlers: Record<string, Handler> = Object.fromEntries(ANSWERED.map((method) => [method, garble]));
  handlers["Hello"] = unary((_, answer) => answer(undefined, new Uint8Array(0)));
  handlers["AbandonTaskOrchestratorWorkItem"] = unary((_, answer) => {
    onAbandon();
    answer(undefined, new Uint8Array(0));
  });
  handlers["GetWorkItems"] = (call) => {
    call.open();
    call.write(GARBLED);
    call.write(garbledItem());
  };
  const paths = handlersOf({ TaskHubSidecarService: handlers });
  const server = createServer((socket) => serveGrpc(socket, paths, { clock: MACHINE_TIME })).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return ["--connection-string", `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`];
}

test.each(["http2", "grpc"])("a run ends with an error on an unreadable answer, over %s", async (transport) => {
  const place = await Workplace.open();
  const flags = await garbledBackend();
  expect(await place.run(`run --transport ${transport}`, ...flags)).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^error: The backend failed: its answer to QueryInstances cannot be read\. illegal tag/mu,
    ),
  });
});

test("status ends with an error on an unreadable answer, and a worker continues after unreadable work items", async () => {
  const place = await Workplace.open();
  const abandoned = Promise.withResolvers<void>();
  const flags = await garbledBackend(abandoned.resolve);
  const status = await place.run("status", ...flags);
  expect(status).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^error: The backend failed: its answer to QueryInstances cannot be read/u),
  });
  const worker = place.start("worker --port 0", ...flags);
  await worker.says(/work item cannot be read/u);
  await worker.says(/orchestrator's work item cannot be read and is given back/u);
  await abandoned.promise;
  worker.kill("SIGTERM");
  expect(await worker.ended).toMatchObject({ code: 0 });
});
