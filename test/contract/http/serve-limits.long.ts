import { expect, onTestFinished, test } from "vitest";
import { ServePlace, TcpEmulator } from "../../support/http/serve-place.js";

test("a request for as many orchestrations as the limit is accepted, and starts each once", async () => {
  const emulator = await TcpEmulator.start();
  onTestFinished(() => emulator.close());
  const place = await ServePlace.open(emulator.port);
  onTestFinished(() => place.close());
  const { status, body } = await place.post("/api/orchestrations", { parallelOrchestrations: 10_000 });
  expect(status).toBe(202);
  expect(new Set((body as { instanceIds: string[] }).instanceIds).size).toBe(10_000);
  expect(emulator.instances).toBe(10_000);
});
