import { status } from "@grpc/grpc-js";
import type { Backend } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import { backOff } from "./backoff.js";
import { describeError, type WorkerChannel, type WorkerMethod } from "./worker-channel.js";

/**
 * `accepted`: the backend has it. `stale`: the backend has given the work item to somebody else, or has the result
 * already. `unimplemented`: it has no such call. `dropped`: the backend refused it, or could not be reached.
 */
export type SendOutcome = "accepted" | "stale" | "unimplemented" | "dropped";

/** Sends what work items came to, until the backend has it: an outage in between loses nothing. */
export class ResultSender {
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(
    private readonly channel: WorkerChannel,
    private readonly recover: Backend["recover"],
    /** Ends all attempts. */
    private readonly signal: AbortSignal,
    private readonly onError: (message: string) => void,
  ) {}

  async send(method: WorkerMethod, message: Buffer): Promise<SendOutcome> {
    if (this.#underWay >= MAX_CALLS) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#underWay++;
    }
    try {
      return await this.#attempt(method, message);
    } finally {
      // A caller that waits takes the place over, so that nobody can slip in between.
      const next = this.#waiting.shift();
      if (next === undefined) {
        this.#underWay--;
      } else {
        next();
      }
    }
  }

  async #attempt(method: WorkerMethod, message: Buffer): Promise<SendOutcome> {
    for (let failures = 0; !this.signal.aborted; failures++) {
      try {
        await this.channel.call(method, message, CALL_DEADLINE_MS);
        return "accepted";
      } catch (error) {
        // An error without a status never reached the backend.
        const code = isServiceError(error) ? error.code : status.UNAVAILABLE;
        if (STALE.has(code)) {
          return "stale";
        }
        if (code === status.UNIMPLEMENTED) {
          return "unimplemented";
        }
        if (!AWAY.has(code) || failures + 1 === MAX_ATTEMPTS) {
          this.onError(`${method} failed, its result is dropped: ${describeError(error)}`);
          return "dropped";
        }
      }
      // Why it cannot be recovered is for the host to say, which waits for the same backend.
      await this.recover().catch(() => undefined);
      await backOff(failures, this.signal);
    }
    return "dropped";
  }
}

/** Above a server's usual limit of 100 streams, calls would queue unseen inside grpc-js and use up their deadlines. */
const MAX_CALLS = 80;
const CALL_DEADLINE_MS = 30_000;
const MAX_ATTEMPTS = 10;

const STALE: ReadonlySet<status> = new Set([status.NOT_FOUND, status.FAILED_PRECONDITION]);

/** INTERNAL and CANCELLED are what grpc-js makes of a connection that breaks in the middle of a call. */
const AWAY: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.CANCELLED,
]);
