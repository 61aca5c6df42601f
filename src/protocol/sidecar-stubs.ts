/**
 * The SDK's protobuf messages. They are a private path of the SDK, pinned to one version, so this file alone may name
 * it. It loads the messages only, never the SDK itself.
 *
 * They are CommonJS whose exports Node cannot see from outside: the default import is the whole module.
 */
import pb from "@microsoft/durabletask-js/dist/proto/orchestrator_service_pb.js";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import wrappers from "google-protobuf/google/protobuf/wrappers_pb.js";
import { BoundedReader } from "./bounded-reader.js";

export { pb };

/** The message of a text that may be absent. */
export const StringValue = wrappers.StringValue;
export const Timestamp = timestamps.Timestamp;

export interface MessageType<T> {
  new (): T;
  deserializeBinaryFromReader(message: T, reader: never): T;
}

/**
 * Decodes a message from outside. The stubs' own `deserializeBinary` must only be used for trusted bytes: others may
 * keep it busy for minutes.
 * | @throws Error if it is no message, in a time that its length bounds
 */
export function decodeMessage<T>(type: MessageType<T>, bytes: Uint8Array): T {
  return type.deserializeBinaryFromReader(new type(), new BoundedReader(bytes) as never);
}
