import { status } from "@grpc/grpc-js";
import { aborted } from "../../../src/async/aborted.js";
import type { WorkerEvent } from "../../../src/protocol/worker-messages.js";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { fanOutFanInWorkload, type Workload } from "../../../src/orchestrations/workload.js";
import { startWorkerHost, type WorkerHost, type WorkerHostOptions } from "../../../src/worker/worker-host.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { FakeSidecar, Inbox, activityItem, orchestratorItem } from "../../support/worker/fake-sidecar.js";

const TRANSPORTS = ["grpc-js", "http2"] as const;

let sidecar: FakeSidecar;
let transport: (typeof TRANSPORTS)[number];
let host: WorkerHost | undefined;
let events: Inbox<WorkerEvent>;
/** One entry for each run of the activity `gated`; calling it lets the activity finish. */
let gates: Inbox<(output: unknown) => void>;
/** All of them, so that a test that fails leaves none shut. */
let opened: ((output: unknown) => void)[];

beforeEach(async () => {
  opened = [];
  sidecar = await FakeSidecar.create();
  events = new Inbox();
  gates = new Inbox();
});

afterEach(async () => {
  for (const open of opened) open(undefined);

  await host?.drain();
  host = undefined;
  await sidecar.close();
});

const workload: Workload = {
  orchestrators: fanOutFanInWorkload.orchestrators,
  activities: {
    echo: (_context, input) => input,
    fail: () => {
      throw new Error("no luck", { cause: new TypeError("deeper") });
    },
    gated: () =>
      new Promise((resolve) => {
        opened.push(resolve);
        gates.put(resolve);
      }),
  },
};

function startHost(
  backend: Partial<WorkerHostOptions["backend"]> = {},
  drain: Pick<WorkerHostOptions, "drainPatienceMs" | "drainTimeoutMs"> = { drainPatienceMs: 200 },
): WorkerHost {
  host = startWorkerHost({
    backend: {
      target: { ...sidecar.target, transport },
      connection: { kind: "emulator", taskHub: "default", source: "a test" },
      admin: undefined,
      recover: () => Promise.resolve(),
      ...backend,
    },
    workload,
    ...drain,
    onEvent: (event) => events.put(event),
  });
  return host;
}

async function connectedStream() {
  const stream = await sidecar.streams.next();
  expect((await events.next()).type).toBe("connected");
  return stream;
}

async function nextActivityResponse() {
  return pb.ActivityResponse.deserializeBinary(await sidecar.requests.CompleteActivityTask.next());
}

async function nextAbandoned(): Promise<string> {
  const request = await sidecar.requests.AbandonTaskActivityWorkItem.next();
  return pb.AbandonActivityTaskRequest.deserializeBinary(request).getCompletiontoken();
}

describe.each(TRANSPORTS)("executing over %s", (each) => {
  beforeEach(() => {
    transport = each;
  });
  beforeEach(() => sidecar.start().then(() => undefined));

  test("an activity's result comes back with its token, as JSON", async () => {
    startHost();
    (await connectedStream()).write(activityItem("echo", 7, { a: [1, "ä"] }));
    const response = await nextActivityResponse();
    expect(response.getInstanceid()).toBe("instance-1");
    expect(response.getTaskid()).toBe(7);
    expect(response.getCompletiontoken()).toBe("token-7");
    expect(JSON.parse(response.getResult()!.getValue())).toEqual({ a: [1, "ä"] });
    expect(response.hasFailuredetails()).toBe(false);
  });

  test("an activity that throws answers with the error and its causes", async () => {
    startHost();
    (await connectedStream()).write(activityItem("fail", 1));
    const failure = (await nextActivityResponse()).getFailuredetails()!;
    expect(failure.getErrortype()).toBe("Error");
    expect(failure.getErrormessage()).toBe("no luck");
    expect(failure.getStacktrace()!.getValue()).toContain("no luck");
    expect(failure.getInnerfailure()!.getErrortype()).toBe("TypeError");
    expect(failure.getIsnonretriable()).toBe(false);
  });

  test.each(["nobody", "constructor"])("an activity named %s, which is not hosted, is given back", async (name) => {
    startHost();
    (await connectedStream()).write(activityItem(name, 1));
    expect(await nextAbandoned()).toBe("token-1");
    expect(await events.next()).toMatchObject({ type: "stray", message: expect.stringContaining(`"${name}"`) });
  });

  test("an orchestrator runs in the SDK, and its actions come back with the token", async () => {
    startHost();
    const stream = await connectedStream();
    stream.write(orchestratorItem("FanOutFanInOrchestration", { Iterations: 2, PARALLELACTIVITIES: 3 }));
    const bytes = await sidecar.requests.CompleteOrchestratorTask.next();
    const response = pb.OrchestratorResponse.deserializeBinary(bytes);
    expect(response.getCompletiontoken()).toBe("token-orchestrator");
    const inputs = response.getActionsList().map((action) => action.getScheduletask()!.getInput()!.getValue());
    expect(inputs).toEqual([0, 1, 2].map((activityNumber) => JSON.stringify({ iterationNumber: 0, activityNumber })));
  });

  test("bytes that are no work item are reported, and the worker continues", async () => {
    startHost();
    const stream = await connectedStream();
    stream.write(Buffer.from([0x0a, 0x7f]));
    stream.write(activityItem("echo", 1, "still here"));
    await nextActivityResponse();
    expect((await events.next()).type).toBe("error");
  });
});

describe.each(TRANSPORTS)("outages over %s", (each) => {
  beforeEach(() => {
    transport = each;
  });
  test("a backend that is not there at the start is reported once and waited for", async () => {
    let recoveries = 0;
    startHost({
      recover: async () => {
        recoveries++;
        if (recoveries === 2) await sidecar.start();
      },
    });
    expect(await events.next()).toMatchObject({ type: "lost", reason: expect.stringContaining("UNAVAILABLE") });
    await connectedStream();
    expect(recoveries).toBeGreaterThanOrEqual(2);
  });

  test("the refusal of a backend is reported with a hint", async () => {
    sidecar.answers.Hello = (_, answer) => answer(status.UNAUTHENTICATED);
    await sidecar.start();
    startHost();
    expect(await events.next()).toMatchObject({ type: "lost", reason: expect.stringContaining("wants a credential") });
  });

  test("a stream that breaks does not lose the result of work under way", async () => {
    await sidecar.start();
    const worker = startHost();
    const first = await connectedStream();
    first.write(activityItem("gated", 1));
    const open = await gates.next();
    first.emit("error", { code: status.UNAVAILABLE, details: "broken by the test" });
    expect(await events.next()).toEqual({ type: "lost", reason: "UNAVAILABLE: broken by the test" });
    await connectedStream();
    expect(worker.inFlight).toBe(1);
    open("done");
    expect((await nextActivityResponse()).getCompletiontoken()).toBe("token-1");
  });

  test("a result that is ready while the backend is away is sent when it is back", async () => {
    await sidecar.start();
    startHost();
    (await connectedStream()).write(activityItem("gated", 1));
    const open = await gates.next();
    sidecar.kill();
    expect((await events.next()).type).toBe("lost");
    open("done");
    await sidecar.start();
    expect((await nextActivityResponse()).getCompletiontoken()).toBe("token-1");
  });

  test("a completion that is answered UNAVAILABLE is sent again", async () => {
    await sidecar.start();
    const worker = startHost();
    let refusals = 2;
    sidecar.answers.CompleteActivityTask = (_, answer) => answer(refusals-- > 0 ? status.UNAVAILABLE : status.OK);
    (await connectedStream()).write(activityItem("echo", 1, "x"));
    await nextActivityResponse();
    await nextActivityResponse();
    await nextActivityResponse();
    await worker.drain();
    expect(worker).toMatchObject({ activitiesCompleted: 1, inFlight: 0 });
  });

  test.each([status.NOT_FOUND, status.FAILED_PRECONDITION])(
    "a token that is stale (status %i) is dropped, counted, and not sent again",
    async (code) => {
      await sidecar.start();
      const worker = startHost();
      sidecar.answers.CompleteActivityTask = (_, answer) => answer(code);
      (await connectedStream()).write(activityItem("echo", 1, "x"));
      await nextActivityResponse();
      await worker.drain();
      expect(worker).toMatchObject({ activitiesCompleted: 0, staleResults: 1, inFlight: 0 });
      expect(sidecar.requests.CompleteActivityTask.isEmpty).toBe(true);
    },
  );

  test("a completion that is refused for good is dropped and reported", async () => {
    await sidecar.start();
    startHost();
    sidecar.answers.CompleteActivityTask = (_, answer) => answer(status.INVALID_ARGUMENT);
    (await connectedStream()).write(activityItem("echo", 1, "x"));
    expect(await events.next()).toMatchObject({
      type: "error",
      message: expect.stringContaining("INVALID_ARGUMENT: said the test"),
    });
  });
});

describe.each(TRANSPORTS)("draining over %s", (each) => {
  beforeEach(() => {
    transport = each;
  });
  beforeEach(() => sidecar.start().then(() => undefined));

  test("the emulator is asked to end the stream; what it sends until then is given back", async () => {
    const asked = new Inbox<string>();
    const admin = { drainWorker: (workerId: string) => Promise.resolve(asked.put(workerId)) };
    const worker = startHost({ admin });
    const stream = await connectedStream();
    stream.write(activityItem("gated", 1));
    const openFirst = await gates.next();
    const drained = worker.drain();
    expect(await asked.next()).toBe(worker.workerId);
    stream.write(activityItem("gated", 2));
    stream.end();
    expect(await nextAbandoned()).toBe("token-2");
    openFirst("one");
    await drained;
    expect(worker).toMatchObject({ activitiesCompleted: 1, inFlight: 0, connected: false });
    expect(gates.isEmpty).toBe(true);
  });

  test("elsewhere, what still arrives is given back and what is in flight is finished", async () => {
    const worker = startHost();
    const stream = await connectedStream();
    stream.write(activityItem("gated", 1));
    const open = await gates.next();
    sidecar.answers.Hello = (_, answer) => {
      stream.write(activityItem("gated", 2));
      stream.write(activityItem("gated", 3));
      answer();
    };
    const drained = worker.drain();
    expect([await nextAbandoned(), await nextAbandoned()]).toEqual(["token-2", "token-3"]);
    open("done");
    await drained;
    expect(worker).toMatchObject({ activitiesCompleted: 1, inFlight: 0 });
    expect(gates.isEmpty).toBe(true);
  });

  test("the stream is cancelled on a backend that does not end it", async () => {
    const admin = { drainWorker: () => Promise.reject(new Error("unknown worker")) };
    const worker = startHost({ admin });
    const stream = await connectedStream();
    const cancelled = new Promise((resolve) => stream.on("cancelled", () => resolve("cancelled")));
    await worker.drain();
    expect(await cancelled).toBe("cancelled");
  });

  test("an unreachable backend does not delay it, and unsent results stay counted", async () => {
    const worker = startHost();
    (await connectedStream()).write(activityItem("gated", 1));
    const open = await gates.next();
    sidecar.kill();
    await events.next();
    const drained = worker.drain();
    open("too late");
    await drained;
    expect(worker).toMatchObject({ activitiesCompleted: 0, inFlight: 1 });
    expect(await events.next()).toMatchObject({ type: "error", message: expect.stringContaining("1 result") });
  });

  /** The patience is longer than any test, so that only the timeout can end the drain. */
  const timed = { drainPatienceMs: 600_000, drainTimeoutMs: 100 };

  test.each<[string, WorkerHostOptions["backend"]["admin"]]>([
    ["has no call to drain", undefined],
    ["does not end the stream", { drainWorker: () => Promise.resolve() }],
    [
      "does not answer the call to drain",
      { drainWorker: (_, options) => aborted(options!.signal!).then(() => Promise.reject(new Error("given up"))) },
    ],
  ])("its timeout bounds it too if a backend that is silent %s", async (_, admin) => {
    const worker = startHost({ admin }, timed);
    await connectedStream();
    sidecar.answers.Hello = () => {};
    await worker.drain();
    expect(worker.inFlight).toBe(0);
  });

  test("a result that cannot be sent is told, whatever ends while it is given back", async () => {
    const worker = startHost({ admin: undefined }, timed);
    sidecar.answers.CompleteActivityTask = (request, answer) => {
      if (pb.ActivityResponse.deserializeBinary(request).getCompletiontoken() !== "token-1") answer();
    };
    sidecar.answers.AbandonTaskActivityWorkItem = () => {};
    const stream = await connectedStream();
    stream.write(activityItem("echo", 1));
    await nextActivityResponse();
    stream.write(activityItem("gated", 2));
    const openLate = await gates.next();
    stream.write(activityItem("gated", 3));
    await gates.next();
    const drained = worker.drain();
    expect(await events.next()).toMatchObject({ message: expect.stringMatching(/^2 work items did not end in time/u) });
    openLate("late");
    await drained;
    expect(await events.next()).toMatchObject({ message: expect.stringMatching(/results? could not be sent/u) });
  });

  test("draining twice is draining once", async () => {
    const worker = startHost();
    await connectedStream();
    expect(worker.drain()).toBe(worker.drain());
    await worker.drain();
  });
});
