import { errorText } from "../../format/error-text.js";
import { GrpcStatus } from "../../protocol/grpc-status.js";
import { RpcError } from "../../protocol/rpc-error.js";
import { isGone } from "../store/store.js";

/**
 * A unary or server-streaming call, on bytes. It is over once it was ended, failed or cancelled; what is done to it
 * after that does nothing.
 */
export interface Call {
  /** The message that the client sent; empty once the handler has returned. */
  readonly request: Buffer;
  /** Whether the client has gone, or its deadline has passed, before the call was ended. */
  readonly isCancelled: boolean;
  /** Bytes written that the client has not taken yet. */
  readonly bytesWaiting: number;
  /** The last messages written that have not left this process; once the call is cancelled they never will. */
  readonly messagesWaiting: number;
  /** Called once when the call is cancelled. */
  onCancelled: (() => void) | undefined;
  /** Called when the client wants more, after a `write` that returned false. */
  onDrain: (() => void) | undefined;
  /** A header of the request, until the handler has returned: metadata, by its name in lower case. */
  header(name: string): string | undefined;
  /**
   * Room for what it will answer with, until it is over: for what is read long before it can leave.
   * @throws RpcError if there is none
   */
  reserve(bytes: number): void;
  /** Tells the client that its call has arrived, before there is a message for it. */
  open(): void;
  /**
   * Writes a message, in one part or more, whose bytes may not change any more. Messages of one turn of the event loop
   * leave together. False if the client wants no more for now.
   */
  write(...parts: readonly Uint8Array[]): boolean;
  /** Ends the call with OK, behind a last message if there is one; with RESOURCE_EXHAUSTED if there is no room for that. */
  end(message?: Uint8Array): void;
  /** Ends the call with the status of an error; one that is not an RpcError is INTERNAL. */
  fail(error: unknown): void;
}

/** What it throws is the status of the call. */
export type Handler = (call: Call) => void;
/** Handlers by the names of their methods. */
export type Service = Readonly<Record<string, Handler>>;

type Answer = (error: Error | undefined, value: Uint8Array | undefined) => void;

/** A unary handler. */
export function unary(handler: (call: Call, answer: Answer) => void): Handler {
  return (call) => {
    handler(call, (error, value) => {
      if (error === undefined) call.end(value);
      else call.fail(error);
    });
  };
}

/** Handlers of services by the paths of their methods. */
export function handlersOf(services: Readonly<Record<string, Service>>): ReadonlyMap<string, Handler> {
  return new Map(
    Object.entries(services).flatMap(([name, service]) =>
      Object.entries(service).map(([method, handler]) => [`/${name}/${method}`, handler] as const),
    ),
  );
}

/** The gRPC status of an error; one that is not an RpcError is a message that could not be read, or a defect. */
export function statusOf(error: unknown): { readonly code: number; readonly message: string } {
  return {
    code: error instanceof RpcError ? GrpcStatus[error.code] : GrpcStatus[isGone(error) ? "DATA_LOSS" : "INTERNAL"],
    message: errorText(error),
  };
}
