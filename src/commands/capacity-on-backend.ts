import type { Backend } from "../backend/backend.js";
import type { Connection } from "../backend/connection-string.js";
import { doubtOfHub } from "../backend/missing-hub.js";
import { openBackend } from "../backend/open-backend.js";
import type { Transport } from "../backend/transport.js";
import { capacityResultOf } from "../capacity/answer.js";
import { CapacitySearch } from "../capacity/capacity-search.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { oneLine } from "../format/one-line.js";
import { requireFreeRunIds } from "../load/free-run-id.js";
import { newRunId, repeatedRunId } from "../plan/run-id.js";
import { CapacityView } from "../report/capacity-view.js";
import { capacityText } from "../report/capacity-text.js";
import { prettyJson, writeFileWhole } from "../report/json.js";
import { styleFor } from "../report/text-style.js";
import type { CapacityResult } from "../result/capacity-schema.js";
import { requireMaxActions, startsBoundLine, type CapacityCall } from "./capacity-call.js";
import { Interruption } from "./interruption.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { placeOf } from "./place-of.js";

/** The probes of a search whose run ids have to be free. */
const MOST_PROBES = 40;

interface CheckedSearch {
  readonly call: CapacityCall;
  readonly connection: Connection;
  readonly transport: Transport | undefined;
  /** The output of progress. With `--quiet` it has only errors. */
  readonly io: CommandIo;
  readonly resultsIo: CommandIo;
}

/** Opens the backend, searches there, and tells the answer, also after Ctrl-C. */
export async function searchOnBackend(checked: CheckedSearch): Promise<ExitCode> {
  const { call, connection, transport, io, resultsIo } = checked;
  const say = noticeOn(io.stderr);
  const backend = await openBackend(connection, { onNotice: say, transport });
  const interruption = new Interruption();
  try {
    const place = await placeOf(backend, (billing) => {
      if (billing === "billed") requireMaxActions(call);
    });
    say(`backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`);
    const doubt = backend.kind === "scheduler" ? await doubtOfHub(backend) : undefined;
    if (doubt !== undefined) say(`warning: ${doubt}`);
    const bound = startsBoundLine(call);
    if (bound !== undefined) say(bound);
    const searchId = call.runId ?? newRunId(Date.now(), Math.random);
    if (call.runId !== undefined) {
      const ids = Array.from({ length: MOST_PROBES }, (_, index) => repeatedRunId(searchId, index + 1));
      await requireFreeRunIds(backend, ids, undefined, interruption.signal);
    }
    const result = await search({ call, backend, searchId, interruption, io });
    await tell(result, call, resultsIo);
    return interruption.exitCode ?? exitCodeOf(result);
  } finally {
    interruption[Symbol.dispose]();
    backend.close();
  }
}

async function search(place: {
  readonly call: CapacityCall;
  readonly backend: Backend;
  readonly searchId: string;
  readonly interruption: Interruption;
  readonly io: CommandIo;
}): Promise<CapacityResult> {
  const { call, backend, searchId, interruption, io } = place;
  const { load, objectives, precision, limits } = call;
  const startedAt = new Date();
  const view = new CapacityView(io.stderr, load);
  try {
    const capacitySearch = new CapacitySearch({
      backend,
      replay: call.replay,
      plan: call.plan,
      searchId,
      load,
      objectives,
      from: call.from,
      precision,
      warmupMs: call.warmup,
      maxTimeMs: call.maxTime,
      maxActions: limits.maxActions,
      interruption: interruption.signal,
      onLine: (line) => view.line(oneLine(line)),
      onProbeBegin: (begin) => view.begin(begin),
      onSnapshot: (snapshot) => view.progress(snapshot),
      onProbe: (probe) => view.end(probe),
    });
    const outcome = await capacitySearch.run();
    return capacityResultOf(outcome, {
      searchId,
      load,
      objectives,
      precision,
      startedAt,
      durationMs: Date.now() - startedAt.getTime(),
      capacity: limits.capacityUnits,
      atLeast: call.atLeast,
    });
  } finally {
    view.stop();
  }
}

/** Prints the answer before it writes a file: a full disk costs the file, not the answer. */
async function tell(result: CapacityResult, { json, html, text }: CapacityCall, io: CommandIo): Promise<void> {
  const document = `${prettyJson(result)}\n`;
  const forPeople = json === true ? io.stderr : io.stdout;
  forPeople.write(`${capacityText(result, styleFor(forPeople))}\n`);
  if (json === true) io.stdout.write(document);
  else if (json !== undefined) await writeFileWhole("--json", json, document);
  if (text !== undefined) await writeFileWhole("--text", text, `${capacityText(result, PLAIN)}\n`);
  if (html !== undefined) {
    const { capacityHtml } = await import("../report/capacity-html.js");
    await writeFileWhole("--html", html, await capacityHtml(result));
  }
}

const PLAIN = styleFor({ isTTY: false });

/** Of a search that was not interrupted. A gate that the generator kept from its level was not measured. */
function exitCodeOf({ ended, held, atLeast }: CapacityResult): ExitCode {
  const isReached = atLeast ? atLeast.passed : held !== undefined;
  return firstOf([
    ...(ended === "failed" ? [ExitCode.Failure] : []),
    ...(ended === "generator" && !isReached ? [ExitCode.Invalid] : []),
    ...(isReached ? [] : [ExitCode.ThresholdMissed]),
  ]);
}
