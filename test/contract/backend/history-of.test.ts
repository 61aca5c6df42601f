import { credentials, status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import type { GrpcTarget } from "../../../src/backend/grpc-target.js";
import { channelOptions } from "../../../src/backend/channel-options.js";
import { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { complete, metadataOf, scheduleTask } from "../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../support/emulator/served-emulator.js";
import { GRPC_EMPTY, OddBackend } from "../../support/backend/odd-backend.js";

type Transport = NonNullable<GrpcTarget["transport"]>;

function clientOf(address: string, transport: Transport): SidecarClient {
  const client = new SidecarClient(
    {
      address,
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: channelOptions("emulator"),
      transport,
      metadata: () => Promise.resolve(metadataOf("default")),
    },
    { recover: () => Promise.resolve(), maxAttempts: 1, explain: (error) => error },
  );
  onTestFinished(() => client.close());
  return client;
}

describe.each(["http2", "grpc-js"] as const)("a history, over %s", (transport) => {
  test("is counted by type over all of its messages, and is empty for an unknown instance", async () => {
    const served = await ServedEmulator.start();
    onTestFinished(() => served.close());
    const hub = served.connect("default");
    const worker = await hub.worker();
    const client = clientOf(served.address, transport);
    await client.startInstance({ instanceId: "i", name: "Orchestrator", input: { name: "ü" } });
    // More than fits into one message.
    const tasks = Array.from({ length: 40 }, (_, index) => scheduleTask(index + 1, "Activity", "x".repeat(50_000)));
    await hub.completeEpisode(await worker.item(), tasks);
    let [messages, bytes] = [0, 0];
    const onBytes = (more: number): void => {
      messages += 1;
      bytes += more;
    };
    expect(await client.historyOf("i", { onBytes })).toMatchObject({
      events: { OrchestratorStarted: 1, ExecutionStarted: 1, TaskScheduled: 40 },
      input: '{"name":"ü"}',
    });
    expect(messages).toBeGreaterThan(1);
    expect(bytes).toBeGreaterThan(40 * 50_000);
    expect(await client.historyOf("nobody")).toMatchObject({ events: {}, input: undefined });
  });

  test("is read as moments, each with its time, its action and an activity's output", async () => {
    const served = await ServedEmulator.start();
    onTestFinished(() => served.close());
    const hub = served.connect("default");
    const worker = await hub.worker();
    const client = clientOf(served.address, transport);
    await client.startInstance({ instanceId: "i", name: "Orchestrator", input: undefined });
    await hub.completeEpisode(await worker.item(), [scheduleTask(1, "Activity", '"in"')]);
    await hub.completeActivity(await worker.item(), "out");
    await hub.completeEpisode(await worker.item(), [complete(2, "done")]);
    let moments = 0;
    const all = await client.momentsOf("i", { onChunk: (chunk) => (moments += chunk.moments) });
    expect(all.map(({ atUs: _at, ...moment }) => moment)).toEqual([
      { kind: "orchestrator-started" },
      { kind: "execution-started", name: "Orchestrator" },
      { kind: "asked", id: 1, what: "activity", name: "Activity" },
      { kind: "orchestrator-started" },
      { kind: "answered", id: 1, what: "activity", failed: false, output: '"out"' },
      { kind: "ended", status: "Completed" },
    ]);
    expect(moments).toBe(6);
    const now = Date.now() * 1_000;
    expect(all.filter(({ atUs }) => Math.abs(atUs - now) > 60_000_000)).toEqual([]);
    expect(await client.momentsOf("nobody")).toEqual([]);
  });

  test("that cannot be read ends the call, as does an abort midway", async () => {
    const garbled = Buffer.from("0a ff ff ff ff 0f 01".replaceAll(" ", ""), "hex");
    const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, garbled.length]), garbled]);
    const backend = await OddBackend.start(() => ({ ...GRPC_EMPTY, body: frame }));
    const client = clientOf(backend.connectionString.replace(/^Endpoint=http:\/\/([^;]+);.*$/u, "$1"), transport);
    await expect(client.historyOf("i")).rejects.toMatchObject({
      code: status.INTERNAL,
      details: expect.stringContaining("its answer to StreamInstanceHistory cannot be read") as string,
    });
    expect(client.rpcErrors).toEqual({ StreamInstanceHistory: { INTERNAL: 1 } });
    const abort = new AbortController();
    const onBytes = (): void => abort.abort(new Error("enough"));
    await expect(client.historyOf("i", { signal: abort.signal, onBytes })).rejects.toThrow("enough");
  });
});
