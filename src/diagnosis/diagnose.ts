import { accessSync, constants } from "node:fs";
import type { Backend } from "../backend/backend.js";
import {
  findConnectionString,
  parseConnection,
  withProxy,
  type Connection,
  type ConnectionSources,
} from "../backend/connection-string.js";
import { explain } from "../backend/explain.js";
import { doubtOfHub } from "../backend/missing-hub.js";
import { openBackend, type OpenOptions } from "../backend/open-backend.js";
import { openStateFolder } from "../protocol/state-folder.js";
import { FanoutError, UsageError } from "../errors.js";
import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { errorText } from "../format/error-text.js";
import { OWN_HUB, unfinishedWorkText } from "../hub/unfinished-work.js";
import { surveyHub } from "../hub/hub-survey.js";
import { FANOUT_VERSION } from "../version.js";
import { lookAtEndpoint } from "./endpoint-steps.js";
import { check, type Finding, type Found } from "./finding.js";
import { sayHello, type Greetings } from "./hello.js";

/** An odd number, so that the median is one of them. */
const HELLOS = 11;
const WORKERS_PATIENCE_MS = 5_000;
/** No instance has this id: the watch is only for the workers. */
const NO_INSTANCE = "fanout-doctor/no-instance";

type Lines<T = void> = AsyncGenerator<Finding, T>;

/**
 * Checks everything between this machine and a backend that answers, in the order in which a call needs it. It starts
 * only the embedded emulator, and changes nothing on the task hub.
 */
export async function* diagnose(sources: ConnectionSources, options: OpenOptions = {}): Lines {
  const found = yield* check("configuration", sources, () => {
    const string = findConnectionString(sources);
    return { detail: `the connection string comes from ${string.source}`, value: string };
  });
  const connection = yield* check("connection string", found, (string) => {
    const parsed = withProxy(parseConnection(string, sources.taskHub), sources.env);
    return { detail: describe(parsed), value: parsed };
  });
  const backend =
    connection?.kind === "emulator"
      ? yield* lookAtEmulator(connection, options)
      : yield* lookAtEndpoint(connection, options);
  try {
    yield* lookAtBackend(backend);
  } finally {
    backend?.close();
  }
  yield* check("version", true, () => ({
    detail: `fanout ${FANOUT_VERSION} on Node ${process.versions.node}`,
    value: true,
  }));
  yield* check("state folder", true, () => ({ detail: writableStateFolder(), value: true }));
}

async function* lookAtEmulator(connection: Connection, options: OpenOptions): Lines<Backend | undefined> {
  return yield* check("emulator", connection, async () => {
    const backend = await openBackend(connection, options);
    const { pid, version } = await backend.admin!.status();
    return { detail: `process ${pid}, version ${version}`, value: backend };
  });
}

async function* lookAtBackend(given: Backend | undefined): Lines {
  const reached = yield* check("task hub", given, async (backend) => {
    const { taskHub } = backend.connection;
    const detail = await doubtOfHub(backend);
    if (detail === undefined) return { detail: `${taskHub} on ${backend.displayName} answers`, value: backend };
    return { detail, value: backend, outcome: "warning" };
  });
  yield* check("work of others", reached, ({ client, connection }) => lookAtWork(client, connection.taskHub));
  yield* check("workers", reached, async ({ admin, connection: { taskHub } }) => {
    if (admin === undefined)
      return { detail: "this backend does not report its workers", value: true, outcome: "skipped" };

    const workers = await workersOf(admin, taskHub);
    const hint = workers === 0 ? ": a run starts its own; `fanout worker` starts a permanent one" : "";
    return { detail: `${plural(workers, "worker")} connected to task hub ${taskHub}${hint}`, value: true };
  });
  const greetings = yield* check("round trip", reached, async ({ target, connection }) => {
    const value = await sayHello(target, HELLOS).catch((error: unknown) => rethrow(error, connection));
    const sorted = value.roundTripsMs.toSorted((a, b) => a - b);
    return { detail: `p50 ${formatDuration(sorted[(HELLOS - 1) / 2]!)} of ${plural(HELLOS, "call")}`, value };
  });
  yield* check("clock offset", greetings, (value) => clockOffset(value, reached?.kind === "emulator"));
}

/** Looks for unfinished work of others: a load test on the same hub would compete with it. */
async function lookAtWork(client: Backend["client"], taskHub: string): Promise<Found<true>> {
  const survey = await surveyHub(client, new AbortController().signal);
  if ("unknown" in survey) return { detail: `not known: ${survey.unknown}`, value: true, outcome: "skipped" };
  if (survey.unfinished === 0) return { detail: `task hub ${taskHub} has nothing unfinished`, value: true };
  const detail = `task hub ${taskHub} has ${unfinishedWorkText(survey)}`;
  if (!survey.foreign?.unfinished) return { detail, value: true };
  return { detail: `${detail}; ${OWN_HUB}`, value: true, outcome: "warning" };
}

async function workersOf(admin: NonNullable<Backend["admin"]>, taskHub: string): Promise<number> {
  const signal = AbortSignal.timeout(WORKERS_PATIENCE_MS);
  for await (const { workers } of admin.watch({ taskHub, instanceIdPrefix: NO_INSTANCE }, { signal })) return workers;

  throw new FanoutError(
    "emulator-unresponsive",
    `The embedded emulator did not report its workers within ${WORKERS_PATIENCE_MS / 1000} s.`,
  );
}

function clockOffset({ offset }: Greetings, isEmulator: boolean): Found<true> {
  if (isEmulator) return { detail: "none: the embedded emulator runs on this machine's clock", value: true };

  if (offset === undefined)
    return { detail: "its answers have no date, so the offset cannot be measured", value: true, outcome: "skipped" };

  // Rounded outwards, because it is a bound.
  const atLeast = signedSeconds(Math.floor(offset.atLeastMs / 100) / 10);
  const atMost = signedSeconds(Math.ceil(offset.atMostMs / 100) / 10);
  return {
    detail: `the backend's clock against this one: from ${atLeast} to ${atMost}, by the dates of its answers`,
    value: true,
  };
}

function signedSeconds(seconds: number): string {
  return `${seconds < 0 ? "" : "+"}${seconds.toFixed(1)} s`;
}

function writableStateFolder(): string {
  const { folder } = openStateFolder();
  try {
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new UsageError("unusable-state-folder", `'${folder}' cannot be written to: ${errorText(error)}.`, {
      hint: "Set FANOUT_STATE_DIR to a writable folder.",
      cause: error,
    });
  }
  return `${folder} can be written to`;
}

function describe(connection: Connection): string {
  const { taskHub } = connection;
  return connection.kind === "emulator"
    ? `the embedded emulator, task hub ${taskHub}`
    : `${connection.url.origin}, Authentication=${connection.authentication.kind}, task hub ${taskHub}`;
}

function rethrow(error: unknown, connection: Connection | undefined): never {
  throw connection === undefined ? error : explain(error, connection);
}
