import { status, type ServiceError } from "@grpc/grpc-js";
import { grpcError } from "./grpc-error.js";
import type { AnswerReceiver } from "./http2-call.js";

/** The answer to a unary call: one message, or an error. */
export class UnaryAnswer implements AnswerReceiver {
  readonly #resolve: (message: Buffer) => void;
  readonly #reject: (error: ServiceError) => void;
  #message: Buffer | undefined;

  constructor(resolve: (message: Buffer) => void, reject: (error: ServiceError) => void) {
    this.#resolve = resolve;
    this.#reject = reject;
  }

  /** @throws ServiceError for a second message */
  onMessage(message: Buffer): void {
    if (this.#message !== undefined) throw grpcError(status.UNIMPLEMENTED, "Too many responses received");
    this.#message = message;
  }

  isSettledBy(error: ServiceError | undefined): boolean {
    return error !== undefined || this.#message !== undefined;
  }

  onEnd(error: ServiceError | undefined): void {
    if (error !== undefined) this.#reject(error);
    else if (this.#message !== undefined) this.#resolve(this.#message);
    else this.#reject(grpcError(status.UNIMPLEMENTED, "No message received"));
  }
}
