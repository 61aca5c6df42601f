import { isIP } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { COUNT_EXPECTED, parseCount } from "../format/count.js";
import { isLoopback } from "../backend/loopback.js";
import { BackendLink } from "../http/backend-link.js";
import { startOrchestrationServer } from "../http/orchestration-server.js";
import { parseHost, parsePort } from "../http/port.js";
import { errorText } from "../format/error-text.js";
import { Readiness } from "../http/readiness.js";
import { Interruption } from "./interruption.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { openServedRunsArchive } from "./served-runs-archive.js";
import { cancelRuns, servedRuns, type RunFlagsOfServe } from "./served-runs.js";
import { aborted } from "../async/aborted.js";

export interface ServeFlags {
  readonly port: string;
  readonly host: string;
  readonly apiKey?: string;
  readonly insecure?: boolean;
  readonly maxPending: string;
  readonly maxRuns: string;
  readonly allowedHost?: readonly string[];
  readonly connectionString?: string;
  readonly taskHub?: string;
}

const KEY_VARIABLE = "FANOUT_API_KEY";
/** A shorter key can be guessed. */
const LEAST_KEY_LENGTH = 16;
const READINESS_PAUSE_MS = 2_000;

type Say = (line: string) => void;

/**
 * `fanout serve`: the orchestration API over HTTP until SIGTERM or Ctrl-C. Then it ends the runs that it has started, whose
 * viewers it still serves, and finishes the requests in progress. A signal is its normal end, so the exit code is 0 unless
 * a request was cut off. A second signal ends it at once.
 */
export async function runServeCommand(
  flags: ServeFlags,
  runFlags: RunFlagsOfServe,
  { stderr }: CommandIo,
): Promise<ExitCode> {
  const say: Say = noticeOn(stderr);
  const { connectionString, taskHub } = flags;
  const port = parsePort(flags.port);
  const host = parseHost(flags.host);
  const apiKey = parseKey(flags.apiKey, process.env[KEY_VARIABLE]);
  const maxPending = parseAtLeastOne("--max-pending", flags.maxPending);
  const maxRuns = parseAtLeastOne("--max-runs", flags.maxRuns);
  const allowedHosts = flags.allowedHost?.map(parseAllowedHost);
  refuseOpenDoor(host, apiKey, flags.insecure ?? false);
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const interruption = new Interruption();
  const link = new BackendLink(() => openBackend(connection, { onNotice: say }));
  const readiness = new Readiness(link.client);
  const archive = await openServedRunsArchive({ connection, withKey: apiKey !== undefined, say });
  const runs = servedRuns({ link, connection, most: maxRuns, archive, ...runFlags, say });
  const onDefect = (error: unknown): void => say(`error: internal error: ${errorText(error)}`);
  try {
    await runs.runs.restore();
    const server = await startOrchestrationServer({
      port,
      host,
      apiKey,
      allowedHosts,
      maxPending,
      client: link.client,
      backend: link.open,
      readiness,
      runs,
      stopping: interruption.signal,
      onDefect,
    });
    say(`Orchestration API on ${server.url}, its page on ${server.url}/`);
    const stopped = aborted(interruption.signal);
    const told = tellWhenReady(link, readiness, connection, interruption.signal, say);
    await Promise.race([stopped, told.then(() => stopped)]);
    await cancelRuns(runs.runs, say);
    say("Finishing the requests in progress. A second signal exits at once.");
    const cutOff = await server.close();
    if (cutOff) say("error: some requests took too long and were cut off.");
    return cutOff ? ExitCode.Failure : ExitCode.Success;
  } finally {
    interruption[Symbol.dispose]();
    await link.close();
  }
}

/** Reports which backend answers, or once that none answers yet. The server accepts requests meanwhile. */
async function tellWhenReady(
  link: BackendLink,
  readiness: Readiness,
  { taskHub, source }: Connection,
  signal: AbortSignal,
  say: Say,
): Promise<void> {
  let told = false;
  while (!signal.aborted) {
    try {
      await readiness.check();
      const { displayName } = await link.open();
      say(`Connected to ${displayName}, task hub ${taskHub} (connection string: ${source})`);
      return;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      if (!told) say(`The backend does not answer yet, trying again: ${errorText(error)}`);
      told = true;
    }
    await sleep(READINESS_PAUSE_MS, undefined, { signal }).catch(() => {});
  }
}

function parseAtLeastOne(flag: string, text: string): number {
  const count = parseCount(text);
  if (count !== undefined && count > 0) return count;
  throw new UsageError("invalid-value", `${flag}: expected ${COUNT_EXPECTED}, and at least 1, found "${text}"`);
}

/** A name, or an IPv6 address without its brackets, in lower case. It stands for any port. */
function parseAllowedHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/u, "$1");
  if (/^[0-9a-z._-]+$/iu.test(host) || isIP(host) === 6) return host.toLowerCase();
  throw new UsageError(
    "invalid-value",
    `--allowed-host: expected a name without a port, such as fanout.load.svc.cluster.local, found "${text}"`,
  );
}

/** The flag wins over the variable; an empty variable is none. A key is never repeated. */
function parseKey(flag: string | undefined, variable: string | undefined): string | undefined {
  const key = flag ?? (variable === "" ? undefined : variable);
  if (key === undefined) return undefined;
  const source = flag === undefined ? KEY_VARIABLE : "--api-key";
  if (!/^[\x21-\x7e]+$/u.test(key)) {
    throw new UsageError(
      "invalid-value",
      `${source}: expected letters, digits and signs of ASCII without spaces, found something else.`,
    );
  }
  if (key.length < LEAST_KEY_LENGTH) {
    throw new UsageError(
      "invalid-value",
      `${source}: expected at least ${LEAST_KEY_LENGTH} characters, found ${key.length}.`,
      { hint: "`openssl rand -hex 16` makes a key." },
    );
  }
  return key;
}

function refuseOpenDoor(host: string, apiKey: string | undefined, insecure: boolean): void {
  if (isLoopback(host) || apiKey !== undefined || insecure) return;
  throw new UsageError("api-key-needed", `--host ${host} is reachable by other machines.`, {
    hint:
      `Set a key with ${KEY_VARIABLE} (or --api-key), or say --insecure to let everybody who can reach it start ` +
      "orchestrations.",
  });
}
