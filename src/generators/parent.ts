import { codeOf } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { errorText } from "../format/error-text.js";
import type { LivePhase, LiveUpdate } from "../live/live-update.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { StandingPart } from "../stats/merged-standing.js";
import type { FromGenerator, ShardPart, ToGenerator } from "./messages.js";

const ALIVE_EVERY_MS = 1_000;
const PROGRESS_EVERY_MS = 250;
const LATENCIES_EVERY_MS = 2_000;
const UPDATE_EVERY_MS = 1_000;
/** Without a viewer. If the process is killed, this is what a viewer can still be shown. */
const UNWATCHED_UPDATE_EVERY = 10;

/** A viewer who comes late gets the past of a run in parts, which do not hold up its starts. */
const MOST_INTERVALS = 200;

/** Resolves when the message was sent, or cannot be sent because the parent is gone. */
export function tellParent(message: FromGenerator): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected && process.send !== undefined) process.send(message, undefined, undefined, () => resolve());
    else resolve();
  });
}

export function onMessage<T extends ToGenerator["type"], Task>(
  type: T,
  act: (message: ToGenerator<Task> & { type: T }) => void,
): void {
  process.on("message", (message: ToGenerator<Task>) => {
    if (message.type === type) act(message as ToGenerator<Task> & { type: T });
  });
}

/** Tells the parent several times a second how far `work` has come, and once more at its end. */
export async function tellingProgress<T>(test: { snapshot(): LiveSnapshot }, work: () => Promise<T>): Promise<T> {
  const tell = (): Promise<void> => tellParent({ type: "progress", snapshot: test.snapshot() });
  const telling = setInterval(() => void tell(), PROGRESS_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(telling);
    await tell();
  }
}

/** The same every few seconds with the latencies, for those who collect them. */
export async function tellingLatencies<T>(test: { latencyBuckets(): RunBuckets }, work: () => Promise<T>): Promise<T> {
  const tell = (): Promise<void> => tellParent({ type: "latencies", latencies: test.latencyBuckets() });
  const telling = setInterval(() => void tell(), LATENCIES_EVERY_MS);
  try {
    return await work();
  } finally {
    clearInterval(telling);
    await tell();
  }
}

/** Tells the parent what viewers are shown of a run: once a second while there are any, else now and then, and at the end. */
export function tellingUpdates<T>(feed: { update(phase: LivePhase): LiveUpdate }, work: () => Promise<T>): Promise<T> {
  const tell = (kind: "running" | "ended"): Promise<void> =>
    tellParent({ type: "update", update: feed.update({ kind }) });
  return tellingViewers(tell, UNWATCHED_UPDATE_EVERY, work);
}

export interface TellingParts {
  readonly part: (most: number) => ShardPart;
  /** Undefined before the first start. */
  readonly standing: () => StandingPart | undefined;
  /** Tells how it stands without a viewer too. */
  readonly isJudged: boolean;
}

/** The same of a shard, whose parent may ask at any time: without viewers and a judge nothing but the end. */
export function tellingParts<T>({ part, standing, isJudged }: TellingParts, work: () => Promise<T>): Promise<T> {
  const tell = async (kind: "running" | "ended"): Promise<void> => {
    const stands = standing();
    if (stands) await tellParent({ type: "standing", standing: stands });
    if (kind === "running" && !viewers.areThere) return;
    await tellParent({ type: "part", part: part(kind === "ended" ? Infinity : MOST_INTERVALS) });
  };
  return tellingViewers(tell, isJudged ? 1 : Infinity, work);
}

/** Who looks at the run. The parent may say so before there is anything to see. */
const viewers = { areThere: false, onCome: (): void => undefined };

function hearOfViewers(): void {
  onMessage("watch", ({ isWatched }) => {
    const hasCome = isWatched && !viewers.areThere;
    viewers.areThere = isWatched;
    if (hasCome) viewers.onCome();
  });
}

async function tellingViewers<T>(
  tell: (kind: "running" | "ended") => Promise<void>,
  unwatchedEvery: number,
  work: () => Promise<T>,
): Promise<T> {
  let beats = 0;
  const telling = setInterval(() => {
    beats += 1;
    if (viewers.areThere || beats % unwatchedEvery === 0) void tell("running");
  }, UPDATE_EVERY_MS);
  viewers.onCome = () => void tell("running");
  if (viewers.areThere) viewers.onCome();
  try {
    return await work();
  } finally {
    viewers.onCome = () => undefined;
    clearInterval(telling);
    await tell("ended");
  }
}

type Run<Task> = (task: Task, interruption: AbortSignal) => Promise<LoadTestOutcome>;

/**
 * Carries out the task that the parent sends, tells it the outcome, and exits. A parent that is gone means Ctrl-C.
 * `whenLeft` says what it means after a first Ctrl-C.
 */
export function takeTask<Task>(run: Run<Task>, whenLeft: WhenLeft): void {
  const signal = interruption(whenLeft);
  hearOfViewers();
  onMessage<"prepare", Task>("prepare", ({ task }) => {
    // There is no progress to tell while it opens the backend.
    setInterval(() => void tellParent({ type: "alive" }), ALIVE_EVERY_MS);
    void run(task, signal)
      .then(
        async (outcome) => await tellParent({ type: "ended", ...outcome }),
        async (error: unknown) => await tellParent({ type: "failed", message: errorText(error), code: codeOf(error) }),
      )
      .then(() => process.exit(ExitCode.Success));
  });
}

/** A parent that gets a second Ctrl-C leaves. One that was killed leaves too, and its run is to be ended in order. */
type WhenLeft = "exit-at-once" | "end-in-order";

/** Aborts when the run is to end as by Ctrl-C. */
function interruption(whenLeft: WhenLeft): AbortSignal {
  const controller = new AbortController();
  // A terminal sends Ctrl-C, Ctrl-Break and SIGHUP to the parent and to this process. The parent decides what they mean.
  process.on("SIGINT", () => undefined);
  process.on("SIGHUP", () => undefined);
  process.on("SIGBREAK", () => undefined);
  process.once("SIGTERM", () => controller.abort());
  onMessage("interrupt", () => controller.abort());
  process.once("disconnect", () => {
    if (controller.signal.aborted && whenLeft === "exit-at-once") process.exit(ExitCode.Interrupted);
    controller.abort();
  });
  return controller.signal;
}
