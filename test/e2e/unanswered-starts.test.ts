import { expect, onTestFinished, test } from "vitest";
import { instanceIdOf } from "../../src/plan/run-id.js";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { ForwardingBackend, type Fate } from "../support/hub/forwarding-backend.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const RUN_ID = "rlost";
/** More attempts than a call makes by itself. */
const LATE = 12;

/** Of ten starts the first five are taken and answered late; of the next three no answer ever comes, two are lost. */
function fates(): (method: string, request: Buffer) => Fate {
  const attempts = new Map<string, number>();
  const lost = [5, 6].map((sequence) => instanceIdOf(RUN_ID, sequence));
  const late = [0, 1, 2, 3, 4].map((sequence) => instanceIdOf(RUN_ID, sequence));
  return (method, request) => {
    if (method !== "StartInstance") return "arrives";
    const id = pb.CreateInstanceRequest.deserializeBinary(request).getInstanceid();
    const attempt = (attempts.get(id) ?? 0) + 1;
    attempts.set(id, attempt);
    if (lost.includes(id)) return "call lost";
    if (id === instanceIdOf(RUN_ID, 7) || (late.includes(id) && attempt <= LATE)) return "answer lost";
    return "arrives";
  };
}

test("a start without an answer is repeated, and never counted as refused", async () => {
  const place = await Workplace.open();
  const worker = place.start("worker --port 0");
  await worker.says(/Connected to/u);
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, [], { fateOf: fates() });
  onTestFinished(() => backend.close());
  const line = `run --json --run-id ${RUN_ID} --parallel-orchestrations 10 --iterations 1 --timeout 5s`;
  const { code, stdout, stderr } = await place.run(line, "--connection-string", backend.connectionString("default"));
  expect({ code, stderr }).toMatchObject({ code: 1 });
  const { counts, failures, recount, stuck, unanswered } = parseRunResult(stdout);
  expect(counts.orchestrations).toMatchObject({ started: 10, completed: 7, failed: 0, unfinished: 3 });
  expect(failures).toBeUndefined();
  const ids = [5, 6, 7].map((sequence) => instanceIdOf(RUN_ID, sequence));
  expect(unanswered).toEqual({ total: 3, first: ids });
  expect(stuck?.first.map(({ instanceId }) => instanceId).toSorted()).toEqual(ids);
  // Who fails and why is told together: 5 x 12 answers were lost at least.
  expect(counts.rpcErrorsByCall?.["StartInstance"]?.["UNAVAILABLE"]).toBeGreaterThanOrEqual(5 * LATE);
  expect(stderr).toMatch(/RPC errors +\d+ StartInstance UNAVAILABLE$/mu);
  // The one that was taken is there, and no surprise.
  expect(recount).toMatchObject({ instances: 8, lost: { total: 0 }, unexpected: { total: 0 } });
  expect(stderr).toMatch(/unanswered +3 starts: it is unknown whether the backend accepted them \(rlost-00000-005, /u);
});
