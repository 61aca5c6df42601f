/** The gRPC status codes that the emulator answers with. */
export type RpcCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "RESOURCE_EXHAUSTED"
  | "UNAUTHENTICATED"
  | "UNIMPLEMENTED"
  | "UNAVAILABLE"
  | "INTERNAL"
  | "DATA_LOSS";

/** An answer to a call that is no result. The message names its subject. */
export class RpcError extends Error {
  override readonly name = "RpcError";

  constructor(
    readonly code: RpcCode,
    message: string,
  ) {
    super(message);
  }
}
