import { formatCount } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import type { Recorder } from "../stats/recorder.js";
import type { Stall } from "../result/run-result.js";
import type { Clock } from "../async/clock.js";

const EVERY_MS = 200;

export interface RunPulseOptions {
  readonly recorder: Recorder;
  readonly clock: Clock;
  /** Failed attempts so far by call and by gRPC status. */
  readonly rpcErrors: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly onLine: (line: string) => void;
  readonly onBeat: () => void;
}

/** Several times a second, passes on counts from elsewhere, and reports the begin and the end of a stall. */
export class RunPulse {
  /** Errors of an earlier run on the same backend were reported by that run. */
  readonly #told: Map<string, number>;
  #stall: Stall | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly options: RunPulseOptions) {
    this.#told = new Map(countsOf(options.rpcErrors()).map(({ key, count }) => [key, count]));
  }

  start(): void {
    this.#timer = setInterval(() => this.#beat(), EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#handOnRpcErrors();
    this.options.onBeat();
  }

  #beat(): void {
    this.#handOnRpcErrors();
    const { recorder, clock, onLine, onBeat } = this.options;
    onBeat();
    const nowMs = clock();
    const stall = recorder.stallAt(nowMs);
    if (stall && !this.#stall) onLine(stallLine(stall));
    if (!stall && this.#stall)
      onLine(`completions resumed after ${formatDuration(recorder.sinceMs(nowMs) - this.#stall.fromMs)}`);
    this.#stall = stall;
  }

  #handOnRpcErrors(): void {
    const { recorder, clock, rpcErrors } = this.options;
    for (const { call, status, key, count } of countsOf(rpcErrors())) {
      const more = count - (this.#told.get(key) ?? 0);
      if (more > 0) recorder.addRpcErrors(clock(), { call, status }, more);
      this.#told.set(key, count);
    }
  }
}

function countsOf(rpcErrors: Readonly<Record<string, Readonly<Record<string, number>>>>) {
  return Object.entries(rpcErrors).flatMap(([call, ofCall]) =>
    Object.entries(ofCall).map(([status, count]) => ({ call, status, key: `${call} ${status}`, count })),
  );
}

/** `stalled: nothing has completed since 12.3 s into the run, with 104 in flight and 50/s offered` */
function stallLine({ fromMs, inFlight, offeredPerSecond }: Stall): string {
  const offered = offeredPerSecond > 0 ? ` and ${formatRate(offeredPerSecond)} offered` : "";
  const since = `nothing has completed since ${formatDuration(fromMs)} into the run`;
  return `stalled: ${since}, with ${formatCount(inFlight)} in flight${offered}`;
}
