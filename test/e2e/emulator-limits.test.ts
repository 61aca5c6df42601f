import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { createChild } from "../support/emulator/protocol-actions.js";
import { RawConnection, complete, scheduleTask, stringValue } from "../support/emulator/raw-connection.js";
import { Workplace } from "../support/e2e/workplace.js";

const LIMIT = 1_000_000;
/** In JSON, with its quotes, one byte more than the limit. */
const TOO_LARGE = "x".repeat(LIMIT - 1);
const FAULT = "has 1000001 bytes: the limit is 1000000";

function refusal(of: string): object {
  return { code: status.INVALID_ARGUMENT, details: expect.stringContaining(of) as string };
}

async function portOf(place: Workplace, flags: string): Promise<RawConnection> {
  const emulator = place.start(`emulator --port 0 ${flags}`.trim());
  const [, port] = await emulator.says(/^listening for any .* on http:\/\/127\.0\.0\.1:(\d+);/mu);
  await emulator.says(/Ctrl-C stops\./u);
  const raw = new RawConnection(`127.0.0.1:${port}`, "default", { "grpc.max_receive_message_length": -1 });
  onTestFinished(() => raw.close());
  return raw;
}

function startWith(raw: RawConnection, id: string, input: string): Promise<void> {
  return raw.start(id, "Orchestrator", (request) => request.setInput(stringValue(input)));
}

test("a port has the limits of a Scheduler, and an error beyond them names the size", async () => {
  const place = await Workplace.open();
  const raw = await portOf(place, "");

  // What clients send is refused.
  await startWith(raw, "instance", "x".repeat(LIMIT));
  await expect(startWith(raw, "large", "x".repeat(LIMIT + 1))).rejects.toMatchObject(refusal(FAULT));
  await expect(startWith(raw, "ü-large", "ü".repeat(LIMIT / 2 + 1))).rejects.toMatchObject(refusal("ASCII"));
  await expect(raw.start("größe")).rejects.toMatchObject(refusal("'größe' has characters other than ASCII"));
  await expect(raw.start("@name@key")).rejects.toMatchObject(refusal('begins with "@"'));
  await expect(raw.start("x".repeat(101))).rejects.toMatchObject(refusal("101 characters"));
  const event = new pb.RaiseEventRequest();
  event.setInstanceid("instance");
  event.setName("news");
  event.setInput(stringValue("x".repeat(LIMIT + 1)));
  await expect(raw.call("RaiseEvent", event, pb.RaiseEventResponse)).rejects.toMatchObject(
    refusal(`The event 'news' ${FAULT}`),
  );

  // A result of an activity is a failure of its task; a child of an id that none can have too.
  const worker = await raw.worker();
  await raw.completeEpisode(await worker.item(), [scheduleTask(1, "Grow"), createChild(2, "größe")]);
  const items = [await worker.item(), await worker.item()];
  const activity = items.find(({ activityrequest }) => activityrequest !== undefined)!;
  const episode = items.find(({ orchestratorrequest }) => orchestratorrequest !== undefined)!;
  const [, child] = episode.orchestratorrequest!.neweventsList;
  expect(child?.suborchestrationinstancefailed?.failuredetails?.errormessage).toContain("other than ASCII");
  await raw.completeEpisode(episode, []);
  await raw.completeActivity(activity, TOO_LARGE);
  const next = await worker.item();
  expect(next.orchestratorrequest!.neweventsList[1]?.taskfailed?.failuredetails).toMatchObject({
    errortype: "PayloadTooLarge",
    errormessage: expect.stringContaining(`The output of the activity 'Grow' ${FAULT}`) as string,
    isnonretriable: true,
  });

  // What an orchestrator asks for or answers fails the orchestration.
  await raw.completeEpisode(next, [complete(3, TOO_LARGE)]);
  expect(await raw.state("instance")).toMatchObject({
    orchestrationstatus: pb.OrchestrationStatus.ORCHESTRATION_STATUS_FAILED,
    output: undefined,
    failuredetails: { errortype: "PayloadTooLarge", errormessage: expect.stringContaining(FAULT) as string },
  });
  await raw.start("asks");
  await raw.completeEpisode(await worker.item(), [scheduleTask(1, "Grow", TOO_LARGE)]);
  const { failuredetails } = (await raw.state("asks"))!;
  expect(failuredetails?.errormessage).toContain(`The input of the activity 'Grow' ${FAULT}`);
  await raw.start("tells");
  await raw.completeEpisode(await worker.item(), [], (response) =>
    response.setCustomstatus(stringValue(`${TOO_LARGE}xx`)),
  );
  expect((await raw.state("tells"))?.failuredetails?.errormessage).toContain(`The custom status ${FAULT}`);
  worker.cancel();

  // As a run on it says, which does not hang.
  const run = await place.run("run --workers 1 --iterations 1 --parallel-activities 2 --output-bytes 1,000,000");
  expect(run.code).toBe(1);
  expect(run.stdout + run.stderr).toMatch(/The output of the activity 'FanOutFanInActivity' has \d+ bytes/u);
});

test("without a port, or with --limits none, larger payloads are accepted and reported once", async () => {
  const place = await Workplace.open();
  const line = "run --workers 1 --iterations 5 --parallel-activities 2 --output-bytes 1,000,000";
  const warning = /^warning: .*has \d+ bytes: the limit is 1000000 on a Scheduler\. .*--limits scheduler/gmu;
  for (let runs = 0; runs < 2; runs += 1) {
    const { stderr } = await place.succeed(line);
    expect(stderr.match(warning)).toHaveLength(1);
  }
  const log = await readFile(join(place.stateFolder, "emulator.log"), "utf8");
  expect(log.match(/the limit is 1000000 on a Scheduler/gu)).toHaveLength(1);
  await place.succeed("emulator stop");

  const raw = await portOf(place, "--limits none");
  await startWith(raw, "größe", "x".repeat(LIMIT + 1));
  expect((await raw.state("größe"))?.input?.value).toHaveLength(LIMIT + 1);
});
