import {
  Metadata,
  status,
  type MethodDefinition,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type StatusObject,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { RpcError } from "./rpc-error.js";

/** gRPC methods whose messages pass through as bytes. */
export interface MethodKind {
  readonly responseStream: boolean;
}
export type Methods = Readonly<Record<string, MethodKind>>;
export const unary: MethodKind = { responseStream: false };
export const serverStream: MethodKind = { responseStream: true };

const asIs = (bytes: Buffer): Buffer => bytes;
/** grpc-js copies messages by a method that only Buffers have. */
const asBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

export function serviceDefinition(service: string, methods: Methods): ServiceDefinition {
  const definition: Record<string, MethodDefinition<Buffer, Uint8Array>> = {};
  for (const [name, { responseStream }] of Object.entries(methods)) {
    definition[name] = {
      path: `/${service}/${name}`,
      requestStream: false,
      responseStream,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asBuffer,
      responseDeserialize: asIs,
    };
  }
  return definition;
}

type RawAnswer = (error: Error | undefined, value: Uint8Array | undefined) => void;
type RawHandler = (call: ServerUnaryCall<Buffer, Uint8Array>, answer: RawAnswer) => void;

/** A unary handler on bytes; what it throws is its answer. */
export function raw(
  handler: RawHandler,
): (call: ServerUnaryCall<Buffer, Uint8Array>, callback: sendUnaryData<Uint8Array>) => void {
  return (call, callback) => {
    const answer: RawAnswer = (error, value) => {
      if (error === undefined) {
        callback(null, value);
      } else {
        callback(statusOf(error));
      }
    };
    try {
      handler(call, answer);
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)), undefined);
    }
  };
}

/** Ends a stream with the status of an error. grpc-js takes it from this event; `destroy` would leave the call open. */
export function failStream(call: ServerWritableStream<Buffer, Uint8Array>, error: unknown): void {
  call.emit("error", statusOf(error));
}

/** The gRPC status of an error; one that is not an RpcError is a message that could not be read, or a defect. */
function statusOf(error: unknown): StatusObject & Error {
  const message = error instanceof Error ? error.message : String(error);
  const code = error instanceof RpcError ? status[error.code] : status.INTERNAL;
  return Object.assign(new Error(message), { code, details: message, metadata: new Metadata() });
}
