import { status, type ServiceError } from "@grpc/grpc-js";
import type { Backend } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import { grpcError } from "../backend/grpc-error.js";
import { backoffMs } from "./backoff.js";
import { SendingTrouble } from "./sending-trouble.js";
import { describeError, type WorkerChannel, type WorkerMethod } from "./worker-channel.js";

/**
 * `accepted`: the backend has the result. `stale`: the backend has given the work item to another worker, or has a
 * result already. `refused`: the backend will never accept it. `unsent`: sending has ended.
 */
export type SendOutcome =
  { readonly kind: "accepted" | "stale" | "unsent" } | { readonly kind: "refused"; readonly error: ServiceError };

/**
 * Sends the results of work items until the backend has them, so that neither an outage nor a full disk loses a result.
 * While the backend accepts none, only one result at a time is tried, at growing intervals, and the others wait.
 */
export class ResultSender {
  readonly #channel: WorkerChannel;
  readonly #recover: Backend["recover"];
  /** Ends all attempts. */
  readonly #signal: AbortSignal;
  #underWay = 0;
  readonly #waiting: (() => void)[] = [];
  /** Attempts in a row that failed; 0 while results are accepted. */
  #failures = 0;
  #nextAttemptMs = 0;
  #lastAnswerMs = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #trouble: SendingTrouble;

  constructor(
    channel: WorkerChannel,
    recover: Backend["recover"],
    signal: AbortSignal,
    onLine: (message: string) => void,
  ) {
    this.#channel = channel;
    this.#recover = recover;
    this.#signal = signal;
    this.#trouble = new SendingTrouble(() => this.#waiting.length + this.#underWay, onLine);
    signal.addEventListener("abort", () => this.#giveUp());
  }

  async send(method: WorkerMethod, message: Buffer): Promise<SendOutcome> {
    const firstMs = performance.now();
    for (let attempt = 1; !this.#signal.aborted; attempt++) {
      await this.#place();
      if (this.#signal.aborted) break;

      const beganMs = performance.now();
      const error = await this.#attempt(method, message);
      this.#underWay--;
      const verdict = error === undefined ? "accepted" : verdictOf(error);
      if (verdict !== "again") {
        this.#answered();
      } else if (attempt < MOST_ATTEMPTS || error!.code !== status.INTERNAL || this.#lastAnswerMs < firstMs) {
        this.#postpone(error!, beganMs);
        continue;
      }
      // The backend accepts other results meanwhile, so it rejects this one in particular.
      this.#next();
      return verdict === "accepted" || verdict === "stale" ? { kind: verdict } : { kind: "refused", error: error! };
    }
    return { kind: "unsent" };
  }

  async #attempt(method: WorkerMethod, message: Buffer): Promise<ServiceError | undefined> {
    if (this.#failures > 0) {
      // The host reports why recovery fails, because it waits for the same backend.
      await this.#recover().catch(() => undefined);
    }
    try {
      await this.#channel.call(method, message, CALL_DEADLINE_MS);
      return undefined;
    } catch (error) {
      // An error without a status never reached the backend.
      return isServiceError(error) ? error : grpcError(status.UNAVAILABLE, describeError(error));
    }
  }

  /** Resolves when a call may begin, in order. */
  #place(): Promise<void> | undefined {
    if (this.#waiting.length === 0 && this.#mayBegin()) {
      this.#underWay++;
      return undefined;
    }
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#next();
    });
  }

  #mayBegin(): boolean {
    if (this.#failures === 0) return this.#underWay < MOST_CALLS;

    return this.#underWay === 0 && performance.now() >= this.#nextAttemptMs;
  }

  #next(): void {
    while (this.#waiting.length > 0 && this.#mayBegin()) {
      this.#underWay++;
      this.#waiting.shift()!();
    }
    if (this.#waiting.length > 0 && this.#failures > 0 && this.#underWay === 0) {
      this.#timer ??= setTimeout(
        () => {
          this.#timer = undefined;
          this.#next();
        },
        Math.max(1, this.#nextAttemptMs - performance.now()),
      );
    }
  }

  /** The backend answered properly, whatever its verdict on the result. */
  #answered(): void {
    this.#lastAnswerMs = performance.now();
    this.#failures = 0;
    this.#trouble.end();
  }

  #postpone(error: ServiceError, beganMs: number): void {
    // Calls that were in progress when the trouble began do not count as further attempts.
    if (this.#failures === 0 || beganMs >= this.#nextAttemptMs)
      this.#nextAttemptMs = performance.now() + backoffMs(this.#failures++, Math.random);

    this.#trouble.add(error);
    this.#next();
  }

  #giveUp(): void {
    clearTimeout(this.#timer);
    this.#trouble.stop();
    for (const begin of this.#waiting.splice(0)) begin();
  }
}

/** Beyond a server's usual limit of 100 streams, calls would queue unseen inside grpc-js and use up their deadlines. */
const MOST_CALLS = 80;
const CALL_DEADLINE_MS = 30_000;
/** The limit of attempts for a result on which the backend fails while it accepts others. */
const MOST_ATTEMPTS = 10;

const STALE: ReadonlySet<status> = new Set([status.NOT_FOUND, status.FAILED_PRECONDITION]);

/**
 * Codes of temporary errors. grpc-js turns a broken connection into INTERNAL or CANCELLED. Servers that cannot write
 * answer INTERNAL. RESOURCE_EXHAUSTED means a full disk, or a quota.
 */
const PASSING: ReadonlySet<status> = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.INTERNAL,
  status.CANCELLED,
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
  status.UNAUTHENTICATED,
  status.DATA_LOSS,
]);

function verdictOf(error: ServiceError): "stale" | "again" | "refused" {
  if (STALE.has(error.code)) return "stale";

  return PASSING.has(error.code) && !isTooLarge(error) ? "again" : "refused";
}

/** Whether a backend refuses a message as too large. gRPC has no status of its own for that. */
export function isTooLarge({ code, details }: ServiceError): boolean {
  const codes: readonly status[] = [status.RESOURCE_EXHAUSTED, status.INVALID_ARGUMENT, status.OUT_OF_RANGE];
  return codes.includes(code) && TOO_LARGE.test(details);
}

/** The words of gRPC for C, Go, Java, .NET and JavaScript, and of the emulator. */
const TOO_LARGE =
  /message of \d+ bytes|message (?:is )?(?:larger|exceeds|too large)|exceeds (?:the )?maximum|larger than max/iu;
