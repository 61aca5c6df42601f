import { status, type ServiceError } from "@grpc/grpc-js";
import { errorText } from "../format/error-text.js";
import { FanoutError } from "../errors.js";

/**
 * A start without an answer: whether the backend accepted it is unknown until it is asked again. The message is the
 * error of the last attempt.
 */
export class UnansweredStart extends FanoutError {
  override readonly name = "UnansweredStart";

  constructor(cause: unknown) {
    super("start-unanswered", errorText(cause), { cause });
  }
}

/** Codes of a lost answer: the call may have been executed. */
const LOST: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

/** Codes with which a backend refuses every attempt, so the earlier attempt was refused too. */
const REFUSED: readonly status[] = [
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
];

/** A stream that was reset midway or ended without a status, in the words of grpc-js and ours. */
const CUT_OFF = /^(?:Received RST_STREAM|The call ended without)/u;

/** The attempts of one start so far. */
export class StartAttempts {
  #isUnanswered: boolean;

  /** `again`: an earlier attempt was not answered. */
  constructor(again: boolean) {
    this.#isUnanswered = again;
  }

  /** Whether an attempt was not answered, so that a later one may find its instance. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  failed({ code, details }: ServiceError): void {
    if (LOST.includes(code) || (code === status.INTERNAL && CUT_OFF.test(details))) this.#isUnanswered = true;
    else if (REFUSED.includes(code)) this.#isUnanswered = false;
  }
}
