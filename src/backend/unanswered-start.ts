import { status, type ServiceError } from "@grpc/grpc-js";
import { errorText } from "../format/error-text.js";
import { FanoutError } from "../errors.js";

/**
 * A start whose answer did not come: whether the backend has taken it is not known, until it is asked for again.
 * It says what the last attempt came to.
 */
export class UnansweredStart extends FanoutError {
  override readonly name = "UnansweredStart";

  constructor(cause: unknown) {
    super("start-unanswered", errorText(cause), { cause });
  }
}

/** Of errors, those that a caller is given where the answer is lost: the call may have been executed. */
const LOST: readonly status[] = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.CANCELLED];

/** What a backend refuses it refuses each time: the attempt before was no other. */
const REFUSED: readonly status[] = [
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
  status.FAILED_PRECONDITION,
  status.OUT_OF_RANGE,
];

/** A stream that was reset in the middle, or that ended without a status, in the words of grpc-js and of ours. */
const CUT_OFF = /^(?:Received RST_STREAM|The call ended without)/u;

/** What is known of a start, attempt by attempt. */
export class StartAttempts {
  #isUnanswered: boolean;

  /** `again`: an attempt of before was not answered. */
  constructor(again: boolean) {
    this.#isUnanswered = again;
  }

  /** Some attempt was not answered, so that a later one may find what it has started. */
  get isUnanswered(): boolean {
    return this.#isUnanswered;
  }

  failed({ code, details }: ServiceError): void {
    if (LOST.includes(code) || (code === status.INTERNAL && CUT_OFF.test(details))) this.#isUnanswered = true;
    else if (REFUSED.includes(code)) this.#isUnanswered = false;
  }
}
