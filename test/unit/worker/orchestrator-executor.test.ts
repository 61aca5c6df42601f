import crypto from "node:crypto";
import { NoOpLogger, TaskHubGrpcWorker, type OrchestrationContext, type Task } from "@microsoft/durabletask-js";
import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { StringValue, Timestamp, pb } from "../../../src/protocol/sidecar-stubs.js";
import { readWorkItem } from "../../../src/protocol/read-work-item.js";
import { ExtendedSessions } from "../../../src/worker/session-cache.js";
import { OrchestratorExecutor, type OrchestratorExecutorOptions } from "../../../src/worker/orchestrator-executor.js";
import {
  Scripted,
  ScriptedBackend,
  arrival,
  steps,
  type Arrival,
  type Step,
} from "../../support/worker/scripted-backend.js";

const ALL: Arrival = { count: Infinity, lastFirst: false, fails: false };
const FAN_OUTS: readonly Step[] = Array.from({ length: 4 }, () => ({ kind: "fanOut", width: 3 }) as const);
const LIMIT = Error.stackTraceLimit;

beforeAll(() => {
  // A response holds the time of its span, and stacks, which name the functions on the way: neither may differ.
  vi.useFakeTimers({ toFake: ["Date"] });
  Error.stackTraceLimit = 0;
});

afterAll(() => {
  vi.useRealTimers();
  Error.stackTraceLimit = LIMIT;
});

beforeEach(() => {
  // A rewound history gets a new execution id.
  vi.spyOn(crypto, "randomUUID").mockReturnValue("00000000-0000-4000-8000-000000000000");
});

afterEach(() => {
  vi.restoreAllMocks();
});

const sdk = new TaskHubGrpcWorker({ logger: new NoOpLogger() });
sdk.addNamedOrchestrator("Scripted", Scripted);

function executorOf(options?: OrchestratorExecutorOptions): OrchestratorExecutor {
  return new OrchestratorExecutor({ Scripted }, options);
}

function orchestratorItem(frame: Buffer) {
  const item = readWorkItem(frame);
  if (item.kind !== "orchestrator") throw new Error(`Expected an orchestrator's work item, got ${item.kind}`);

  return item;
}

/** What the SDK makes of a work item with the whole history, but for the trace, which goes back as it came. */
async function expectedOf(frame: Buffer): Promise<Buffer> {
  const { request } = orchestratorItem(frame);
  const response = pb.OrchestratorResponse.deserializeBinary(await sdk.processOrchestratorRequest(request));
  const trace = pb.OrchestratorRequest.deserializeBinary(request).getOrchestrationtracecontext();
  response.setOrchestrationtracecontext(trace);
  return Buffer.from(response.serializeBinary());
}

function read(response: Uint8Array) {
  return pb.OrchestratorResponse.deserializeBinary(response).toObject();
}

/** Runs the next episode as a backend does that sends the whole history. */
async function runEpisode(executor: OrchestratorExecutor, backend: ScriptedBackend): Promise<void> {
  backend.complete(await executor.execute(orchestratorItem(backend.item())), ALL);
}

/** How a backend sends an episode, and what has happened to it before. */
const delivery = fc.record({
  arrival,
  form: fc.constantFrom("whole", "remembered", "misremembered"),
  mishap: fc.constantFrom("none", "none", "twice", "atOnce", "elsewhere", "lost"),
});

describe("every episode has the result of the SDK alone, byte for byte", () => {
  const room = { sessions: 10, bytes: 1e6, idleMs: 60_000 };
  const settings: readonly [string, () => OrchestratorExecutorOptions][] = [
    ["with room for all sessions", () => ({})],
    ["with room for none", () => ({ sessions: new ExtendedSessions({ ...room, sessions: 0 }) })],
    ["with room for short ones", () => ({ sessions: new ExtendedSessions({ ...room, bytes: 12_000 }) })],
    ["with a replay beside each session", () => ({ checkOneIn: 1 })],
  ];
  test.each(settings)("%s", async (_, options) => {
    await fc.assert(
      fc.asyncProperty(steps, fc.array(delivery, { minLength: 12, maxLength: 12 }), async (script, deliveries) => {
        const backend = new ScriptedBackend(script);
        const executor = executorOf(options());
        for (const { arrival, form, mishap } of deliveries) {
          const whole = backend.item();
          const expected = await expectedOf(whole);
          const sent = orchestratorItem(form === "whole" ? whole : backend.itemWithoutKnown());
          const knownHistory = sent.knownHistory + (form === "misremembered" ? 1 : 0);
          const execute = async (): Promise<Buffer> => {
            const response = await executor.execute({ ...sent, knownHistory });
            return read(response).requireshistory ? executor.execute(orchestratorItem(whole)) : response;
          };
          if (mishap === "lost") {
            await execute();
            backend.beginAgain();
          } else if (mishap === "elsewhere") {
            backend.complete(expected, arrival);
          } else {
            const first = execute();
            const second = mishap === "twice" ? first.then(execute) : mishap === "atOnce" ? execute() : first;
            expect(await Promise.all([first, second])).toEqual([expected, expected]);
            backend.complete(await first, arrival);
          }
          if (backend.ended) break;
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe("decoding", () => {
  test.each(["whole", "remembered"])("no event is decoded twice where the history comes %s", async (form) => {
    const decoded = vi.spyOn(pb.HistoryEvent, "deserializeBinaryFromReader");
    const executor = executorOf();
    const backend = new ScriptedBackend(FAN_OUTS);
    let events = 0;
    while (!backend.ended) {
      events = backend.eventCount;
      const item = form === "whole" ? backend.item() : backend.itemWithoutKnown();
      backend.complete(await executor.execute(orchestratorItem(item)), ALL);
    }
    expect(events).toBe(2 + 4 * 7);
    expect(decoded).toHaveBeenCalledTimes(events);
  });

  test("with --replay always each episode decodes and replays the whole history", async () => {
    const decoded = vi.spyOn(pb.HistoryEvent, "deserializeBinaryFromReader");
    const executor = executorOf({ replay: "always" });
    const backend = new ScriptedBackend(FAN_OUTS);
    let events = 0;
    while (!backend.ended) {
      events += backend.eventCount;
      backend.complete(await executor.execute(orchestratorItem(backend.item())), ALL);
    }
    expect(decoded).toHaveBeenCalledTimes(events);
  });

  test("a history that has changed is replayed from its beginning", async () => {
    const executor = executorOf();
    const backend = new ScriptedBackend(FAN_OUTS);
    await runEpisode(executor, backend);
    await runEpisode(executor, backend);
    const item = pb.WorkItem.deserializeBinary(backend.item());
    const past = item.getOrchestratorrequest()!.getPasteventsList();
    past[4]!.setTimestamp(new Timestamp());
    const changed = Buffer.from(item.serializeBinary());
    const expected = await expectedOf(changed);
    const decoded = vi.spyOn(pb.HistoryEvent, "deserializeBinaryFromReader");
    expect(await executor.execute(orchestratorItem(changed))).toEqual(expected);
    expect(decoded).toHaveBeenCalledTimes(backend.eventCount);
  });

  test("an execution that has ended is forgotten, and so is one that continues as new", async () => {
    const sessions = new ExtendedSessions();
    const executor = executorOf({ sessions });
    const backend = new ScriptedBackend([{ kind: "timer" }, { kind: "continueAsNew" }, { kind: "timer" }]);
    const sizes: number[] = [];
    while (!backend.ended) {
      await runEpisode(executor, backend);
      sizes.push(sessions.size);
    }
    expect(sizes).toEqual([1, 0, 1, 0]);
  });
});

describe("a backend that leaves out known history", () => {
  const asks = { instanceid: "run-0-0", completiontoken: "token", requireshistory: true, actionsList: [] };

  test("is asked for the whole history by a worker that has none of it", async () => {
    const backend = new ScriptedBackend(FAN_OUTS);
    await runEpisode(executorOf(), backend);
    const response = await executorOf().execute(orchestratorItem(backend.itemWithoutKnown("token")));
    expect(read(response)).toMatchObject(asks);
  });

  test("is asked for it where the lengths differ, and what was known is forgotten with it", async () => {
    const backend = new ScriptedBackend(FAN_OUTS);
    const executor = executorOf();
    await runEpisode(executor, backend);
    const item = orchestratorItem(backend.itemWithoutKnown("token"));
    for (const knownHistory of [backend.known + 1, backend.known]) {
      const response = await executor.execute({ ...item, knownHistory });
      expect(read(response)).toMatchObject(asks);
    }
    await runEpisode(executor, backend);
    const response = await executor.execute(orchestratorItem(backend.itemWithoutKnown()));
    expect(response).toEqual(await expectedOf(backend.item()));
  });

  test("is asked for it where the length is that of another execution", async () => {
    const executor = executorOf();
    const backend = new ScriptedBackend([{ kind: "continueAsNew" }, { kind: "timer" }]);
    await runEpisode(executor, backend);
    await runEpisode(executor, backend);
    const item = orchestratorItem(backend.itemWithoutKnown("token"));
    const request = pb.OrchestratorRequest.deserializeBinary(item.request);
    request.setExecutionid(stringValue("another"));
    const response = await executor.execute({ ...item, request: request.serializeBinary() });
    expect(read(response)).toMatchObject(asks);
  });
});

describe("requests of other writers", () => {
  test.each([
    ["fields in order", "instance execution past lastPast fresh"],
    ["the names last", "past lastPast fresh execution instance"],
    ["new events first", "instance execution fresh past lastPast"],
    ["past events on both sides", "instance execution past fresh lastPast"],
    ["a field in between", "instance past execution lastPast fresh"],
    ["fields that nobody knows", "unknown instance execution past unknown lastPast unknown fresh unknown"],
  ])("%s", async (_, order) => {
    const executor = executorOf();
    const backend = new ScriptedBackend(FAN_OUTS);
    while (!backend.ended) {
      const item = orchestratorItem(backend.item());
      const whole = pb.OrchestratorRequest.deserializeBinary(item.request);
      const past = whole.getPasteventsList();
      const parts = new Map([
        ["instance", requestOf((part) => part.setInstanceid(whole.getInstanceid()))],
        ["execution", requestOf((part) => part.setExecutionid(whole.getExecutionid()))],
        ["past", requestOf((part) => part.setPasteventsList(past.slice(0, -1)))],
        ["lastPast", requestOf((part) => part.setPasteventsList(past.slice(-1)))],
        ["fresh", requestOf((part) => part.setNeweventsList(whole.getNeweventsList()))],
        // Field 99, a varint.
        ["unknown", Uint8Array.of(0x98, 0x06, 0x2a)],
      ]);
      const request = new Uint8Array(Buffer.concat(order.split(" ").map((part) => parts.get(part)!)));
      const expected = await expectedOf(backend.item());
      expect(await executor.execute({ ...item, request })).toEqual(expected);
      backend.complete(expected, ALL);
    }
  });

  test("the trace of a request is returned unchanged", async () => {
    const executor = executorOf();
    const backend = new ScriptedBackend(FAN_OUTS);
    await runEpisode(executor, backend);
    const item = pb.WorkItem.deserializeBinary(backend.item());
    const traceContext = new pb.OrchestrationTraceContext();
    traceContext.setSpanid(stringValue("00000000000000ab"));
    traceContext.setSpanstarttime(Timestamp.fromDate(new Date(1_700_000_000_000)));
    item.getOrchestratorrequest()!.setOrchestrationtracecontext(traceContext);
    const frame = Buffer.from(item.serializeBinary());
    const response = await executor.execute(orchestratorItem(frame));
    expect(response).toEqual(await expectedOf(frame));
    expect(read(response).orchestrationtracecontext?.spanid?.value).toBe("00000000000000ab");
  });

  test("one that names no instance, or is cut off, is rejected, and the next is run", async () => {
    const executor = executorOf();
    const backend = new ScriptedBackend(FAN_OUTS);
    await runEpisode(executor, backend);
    const item = orchestratorItem(backend.item());
    const nameless = pb.OrchestratorRequest.deserializeBinary(item.request);
    nameless.setInstanceid("");
    await expect(executor.execute({ ...item, request: nameless.serializeBinary() })).rejects.toThrow("instanceId");
    await expect(executor.execute({ ...item, request: item.request.subarray(0, -1) })).rejects.toThrow(Error);
    expect(await executor.execute(item)).toEqual(await expectedOf(backend.item()));
  });
});

test("a session that comes to something else than a replay fails the orchestration by name", async () => {
  let episodes = 0;
  async function* Scripted(context: OrchestrationContext): AsyncGenerator<Task<unknown>, unknown> {
    const begun = (episodes += 1);
    yield context.callActivity(`first of ${begun}`);
    yield context.callActivity("second");
    return begun;
  }
  const executor = new OrchestratorExecutor({ Scripted }, { checkOneIn: 1 });
  const backend = new ScriptedBackend([]);
  await runEpisode(executor, backend);
  const { actionsList } = read(await executor.execute(orchestratorItem(backend.item())));
  expect(actionsList.map(({ completeorchestration }) => completeorchestration?.failuredetails)).toMatchObject([
    { errortype: "SessionMismatch", errormessage: expect.stringContaining("'run-0-0'") as string },
  ]);
});

test("the completion token comes back in the response", async () => {
  const backend = new ScriptedBackend(FAN_OUTS);
  const response = await executorOf().execute(orchestratorItem(backend.item("token-1")));
  expect(read(response)).toMatchObject({ instanceid: "run-0-0", completiontoken: "token-1" });
});

test("an orchestrator that is not hosted fails with its name", async () => {
  const backend = new ScriptedBackend(FAN_OUTS);
  const executor = new OrchestratorExecutor({});
  const { actionsList } = read(await executor.execute(orchestratorItem(backend.item())));
  expect(actionsList[0]!.completeorchestration!.failuredetails!.errormessage).toContain("Scripted");
});

function requestOf(fill: (request: InstanceType<typeof pb.OrchestratorRequest>) => void): Uint8Array {
  const request = new pb.OrchestratorRequest();
  fill(request);
  return request.serializeBinary();
}

function stringValue(text: string): InstanceType<typeof StringValue> {
  const value = new StringValue();
  value.setValue(text);
  return value;
}
