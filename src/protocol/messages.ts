import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { DescMessage, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { TaskFailureDetailsSchema } from "./durabletask_pb.js";

const WITHOUT_UNKNOWN = { readUnknownFields: false } as const;

/**
 * Reads the fields of a message that `durabletask.proto` names, and skips all others, so that newer programs are
 * understood.
 * @throws Error if the bytes are no such message
 */
export function readMessage<Desc extends DescMessage>(schema: Desc, bytes: Uint8Array): MessageShape<Desc> {
  return fromBinary(schema, bytes, WITHOUT_UNKNOWN);
}

export function writeMessage<Desc extends DescMessage>(schema: Desc, fields: MessageInitShape<Desc>): Buffer {
  const bytes = toBinary(schema, create(schema, fields));
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/**
 * A time in microseconds since the epoch; 0 if there is none. Programs send times outside of 1970 to 2255 for "always"
 * and "never". They become the nearest time inside, where microseconds are exact in JavaScript and in the database.
 */
export function microsecondsOf(time: Pick<Timestamp, "seconds" | "nanos"> | undefined): number {
  if (time === undefined) return 0;

  const us = Number(time.seconds) * 1e6 + Math.floor(time.nanos / 1000);
  return Math.min(Math.max(us, 0), Number.MAX_SAFE_INTEGER);
}

/** The time of microseconds since the epoch; undefined for 0. */
export function timestampOf(us: number): Pick<Timestamp, "seconds" | "nanos"> | undefined {
  if (us === 0) return undefined;

  const seconds = Math.floor(us / 1e6);
  return { seconds: BigInt(seconds), nanos: Math.round(us - seconds * 1e6) * 1000 };
}

/** An encoded `TaskFailureDetails`. */
export function failureDetails(errorType: string, errorMessage: string, isNonRetriable = false): Uint8Array {
  return writeMessage(TaskFailureDetailsSchema, { errorType, errorMessage, isNonRetriable });
}
