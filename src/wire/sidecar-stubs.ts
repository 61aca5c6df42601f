/**
 * The SDK's protobuf messages. They are a private path of the SDK, pinned to one version, so this file alone may name
 * it. It loads the messages only, never the SDK itself.
 *
 * They are CommonJS whose exports Node cannot see from outside: the default import is the whole module.
 */
import pb from "@microsoft/durabletask-js/dist/proto/orchestrator_service_pb.js";
import timestamps from "google-protobuf/google/protobuf/timestamp_pb.js";
import wrappers from "google-protobuf/google/protobuf/wrappers_pb.js";

export { pb };

/** How the messages carry a text that may be absent. */
export const StringValue = wrappers.StringValue;
export const Timestamp = timestamps.Timestamp;
