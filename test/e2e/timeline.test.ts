import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import type { Timelines } from "../../src/result/timeline-schema.js";
import { createChild } from "../support/emulator/protocol-actions.js";
import {
  complete,
  RawConnection,
  scheduleTask,
  stringValue,
  type RawWorker,
  type WorkItem,
} from "../support/emulator/raw-connection.js";
import { Workplace } from "../support/e2e/workplace.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { schemaErrors, TIMELINES_SCHEMA } from "../support/report/published-schema.js";

const UNKNOWN = 'error: task hub default has no instance "nobody"\n';

let place: Workplace;
let hub: RawConnection;
let worker: RawWorker;

/** An order that failed to charge, shipped by a sub-orchestration, and waits for an event. */
beforeAll(async () => {
  place = await Workplace.make();
  await place.succeed("status");
  hub = new RawConnection(`unix:${place.socket}`, "default");
  worker = await hub.worker();
  await hub.start("order-17", "Order");
  await hub.completeEpisode(await worker.item(), [scheduleTask(1, "Charge"), createChild(2, "ship-17", "Ship")]);
  const items = [await worker.item(), await worker.item()];
  const is = (kind: "activityrequest" | "orchestratorrequest"): WorkItem => items.find((item) => item[kind])!;
  await hub.completeEpisode(is("orchestratorrequest"), [complete(1, "shipped")]);
  const failing = new pb.ActivityResponse();
  failing.setInstanceid("order-17");
  failing.setTaskid(1);
  failing.setCompletiontoken(is("activityrequest").completiontoken);
  const details = new pb.TaskFailureDetails();
  details.setErrortype("CardError");
  details.setErrormessage("declined \u001B[2Jforged");
  failing.setFailuredetails(details);
  await hub.call("CompleteActivityTask", failing, pb.CompleteTaskResponse);
  await hub.completeEpisode(await worker.item(), []);
  const raised = new pb.RaiseEventRequest();
  raised.setInstanceid("order-17");
  raised.setName("approved");
  raised.setInput(stringValue("true"));
  await hub.call("RaiseEvent", raised, pb.RaiseEventResponse);
  await hub.completeEpisode(await worker.item(), []);
});

afterAll(async () => {
  worker.cancel();
  hub.close();
  await place.close();
});

describe("fanout timeline", () => {
  test("shows a running instance up to now, with its sub-orchestration and what failed", async () => {
    const { stdout, stderr } = await place.succeed("timeline order-17");
    expect(stdout).toMatch(/^order-17 {2}Running, for .* so far {2}created 20/u);
    expect(stdout).toMatch(/^0 {2}Charge .*▓.*✕ .* m?s$/mu);
    expect(stdout).toMatch(/^0 {2}Ship .*═/mu);
    expect(stdout).toMatch(/^ +approved .*◆$/mu);
    expect(stdout).toMatch(/^Charge failed with CardError: declined forged$/mu);
    expect(stderr).toBe("");
  });

  test("tells programs all of it, as the schema says, also beside an id that it does not know", async () => {
    const { code, stdout, stderr } = await place.run("timeline order-17 nobody order-17 --json");
    const document = JSON.parse(stdout) as Timelines;
    expect(schemaErrors(document, TIMELINES_SCHEMA)).toEqual([]);
    expect({ code, stderr }).toEqual({ code: 1, stderr: UNKNOWN });
    expect(document).toMatchObject({
      taskHub: "default",
      timelines: [
        {
          instanceId: "order-17",
          status: "Running",
          ended: false,
          spans: [
            { kind: "activity", name: "Charge", outcome: "failed", failure: { type: "CardError" } },
            { kind: "subOrchestration", name: "Ship", instanceId: "ship-17", outcome: "completed" },
          ],
          marks: [{ kind: "event", name: "approved" }],
        },
        { instanceId: "ship-17", parentInstanceId: "order-17", depth: 1, status: "Completed", ended: true },
      ],
      unknown: ["nobody"],
      error: { code: "instance-not-found" },
    });
    const alone = JSON.parse((await place.succeed("timeline order-17 --depth 0 --json")).stdout) as Timelines;
    expect(alone.timelines.map(({ instanceId }) => instanceId)).toEqual(["order-17"]);
  });

  test("writes a page and trace events, to files of their own", async () => {
    await writeFile(path.join(place.folder, "kept.html"), "old");
    const flags = "--html kept.html --trace-events trace.json";
    expect(await place.run(`timeline nobody ${flags}`)).toMatchObject({ code: 1, stderr: UNKNOWN });
    expect(await readFile(path.join(place.folder, "kept.html"), "utf8")).toBe("old");
    expect((await place.succeed(`timeline order-17 ${flags}`)).stdout).toContain("Running");
    const html = await readFile(path.join(place.folder, "kept.html"), "utf8");
    expect(html).toContain("<code>order-17</code>");
    expect(html).toContain("CardError: declined forged");
    const trace = JSON.parse(await readFile(path.join(place.folder, "trace.json"), "utf8")) as {
      traceEvents: object[];
    };
    expect(trace.traceEvents).toContainEqual(expect.objectContaining({ ph: "X", name: "Charge", pid: 1, tid: 1 }));
    expect((await readdir(place.folder)).sort()).toEqual(["kept.html", "trace.json"]);
  });

  test.each<readonly [line: string, args: readonly string[], code: number, error: string]>([
    ["timeline nobody", [], 1, UNKNOWN],
    ["timeline order-17 --depth 9", [], 2, 'error: --depth: expected at most 8, found "9"\n'],
    [
      "timeline order-17 --html a --trace-events a",
      [],
      2,
      "error: --html and --trace-events: expected a file for each, found a for both; name another one\n",
    ],
    ["timeline", ["a\u001B[2J\nb"], 1, 'error: task hub default has no instance "a b"\n'],
    ["timeline", [], 2, "error: missing required argument 'id'\n"],
  ])("%s %j ends with %i", async (line, args, code, error) => {
    expect(await place.run(line, ...args)).toMatchObject({ code, stdout: "", stderr: error });
  });

  test("says which call a backend lacks", async () => {
    const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["StreamInstanceHistory"]);
    onTestFinished(() => backend.close());
    const lacking = await place.run("timeline order-17 --connection-string", backend.connectionString("default"));
    expect(lacking).toMatchObject({ code: 1, stdout: "" });
    expect(lacking.stderr).toMatch(
      /^error: http.* has no StreamInstanceHistory \(UNIMPLEMENTED\), so the history .* `fanout status ID` shows/u,
    );
  });
});
