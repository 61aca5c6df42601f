import type { OrchestrationContext } from "@microsoft/durabletask-js";
import { afterEach, beforeEach, expect, test } from "vitest";
import { complete, scheduleTask, stringValue } from "../../../support/emulator/raw-connection.js";
import { ServedEmulator } from "../../../support/emulator/served-emulator.js";
import type { Steps } from "../../../support/emulator/protocol-hub.js";

const MIB = 1_048_576;
/** grpc-js takes no message over 4 MiB unless it is told to. */
const ANY_SIZE = { "grpc.max_receive_message_length": -1 };

let served: ServedEmulator;

beforeEach(async () => {
  served = await ServedEmulator.start();
});

afterEach(() => {
  served.close();
});

async function* echoes(context: OrchestrationContext, input: string): Steps {
  const echo = yield context.callActivity("echo", input);
  return `${String(echo)}!`;
}

test("an input, a result and an output of 4 MiB come through the SDK, also after a restart", async () => {
  const input = `${"x".repeat(2 * MIB)}${"ü".repeat(MIB)}`;
  await served.worker({ orchestrators: { echoes }, activities: { echo: (_context, text) => text } }, "hub", {
    options: ANY_SIZE,
  });
  const client = served.client("hub", ANY_SIZE);
  const id = await client.scheduleNewOrchestration("echoes", input);
  const ended = await client.waitForOrchestrationCompletion(id);
  expect(ended?.serializedOutput === JSON.stringify(`${input}!`)).toBe(true);
  served.stop();
  await served.open();
  const state = await served.client("hub", ANY_SIZE).getOrchestrationState(id);
  expect(state?.serializedInput === JSON.stringify(input)).toBe(true);
  expect(state?.serializedOutput === JSON.stringify(`${input}!`)).toBe(true);
});

test("an input, a result and an output of 8 MiB come through whole", async () => {
  const hub = served.connect("hub", ANY_SIZE);
  const text = "y".repeat(8 * MIB);
  const worker = await hub.worker();
  await hub.start("instance", "Orchestrator", (request) => {
    request.setInput(stringValue(text));
  });
  const first = await worker.item();
  const started = first.orchestratorrequest?.neweventsList[1]?.executionstarted;
  expect(started?.input?.value === text).toBe(true);
  await hub.completeEpisode(first, [scheduleTask(1, "Activity", text)]);
  const activity = await worker.item();
  expect(activity.activityrequest?.input?.value === JSON.stringify(text)).toBe(true);
  await hub.completeActivity(activity, text);
  const second = await worker.item();
  const completed = second.orchestratorrequest?.neweventsList[1]?.taskcompleted;
  expect(completed?.result?.value === JSON.stringify(text)).toBe(true);
  expect(second.orchestratorrequest?.pasteventsList.length).toBe(3);
  await hub.completeEpisode(second, [complete(2, text)]);
  const state = await hub.state("instance");
  expect(state?.input?.value === text).toBe(true);
  expect(state?.output?.value === JSON.stringify(text)).toBe(true);
});
