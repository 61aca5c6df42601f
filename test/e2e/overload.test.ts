import { onTestFinished, expect, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { FakeSidecar, activityItem } from "../support/worker/fake-sidecar.js";
import { Workplace } from "../support/e2e/workplace.js";

const ITEMS = 1_000;
const ITEM_BYTES = 32_768;
const ROOM_ON_THE_WAY = 200;

test.each(["http2", "grpc"])(
  "a backend that sends without end is read as work gets done, over %s",
  async (transport) => {
    const place = await Workplace.open();
    const sidecar = await FakeSidecar.create();
    onTestFinished(() => sidecar.close());
    const port = await sidecar.start("127.0.0.1:0");
    const connection = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`;
    const limits = "--max-concurrent-activities 100 --max-concurrent-orchestrators 7";
    const worker = place.start(`worker --port 0 ${limits} --transport ${transport} --connection-string`, connection);
    const stream = await sidecar.streams.next();
    const asked = pb.GetWorkItemsRequest.deserializeBinary(stream.request).toObject();
    expect(asked).toMatchObject({ maxconcurrentactivityworkitems: 100, maxconcurrentorchestrationworkitems: 7 });

    let sent = 0;
    let mostHeld = 0;
    const input = { iterationNumber: 0, activityNumber: 0, durationMs: 20, padding: "x".repeat(ITEM_BYTES) };
    for (let id = 0; id < ITEMS; id += 1)
      stream.write(activityItem("FanOutFanInActivity", id, input), () => (sent += 1));

    for (let completed = 1; completed <= ITEMS; completed += 1) {
      await sidecar.requests.CompleteActivityTask.next();
      mostHeld = Math.max(mostHeld, sent - completed);
    }
    // A quarter more than it asked for, and what the window of a stream and the buffers on the way have room for.
    expect(mostHeld).toBeLessThan(125 + ROOM_ON_THE_WAY);
    worker.kill("SIGTERM");
    expect(await worker.ended).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`Drained: 1,000 activities`),
    });
  },
);

test("a run gives its workers up after they ran out of memory three times, and says why", async () => {
  const place = await Workplace.open();
  await place.succeed("run --workers 1");
  const starved = { ...place.env, NODE_OPTIONS: "--max-old-space-size=30" };
  const load = "--parallel-orchestrations 1 --iterations 3 --parallel-activities 10000";
  const { code, stderr } = await place.startWith(starved, `run --workers 1 ${load}`).ended;
  expect({ code, stderr }).toMatchObject({ code: 1 });
  expect(stderr.match(/ran out of memory .*; starting it again/gu)).toHaveLength(2);
  expect(stderr).toMatch(
    /^error: worker 1 \(pid \d+\) ran out of memory \(NODE_OPTIONS has --max-old-space-size=30\), 3 times in a row/mu,
  );
  // Nothing of the pages that V8 prints.
  expect(stderr).not.toContain("Native stack trace");
});
