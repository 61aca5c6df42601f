/** The prefix of a message: the flag of compression, and the length of the rest. */
export const PREFIX_BYTES = 5;

/** What stands before a message of that many bytes. */
export function framePrefix(bytes: number): Buffer {
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

/** A message framed for a gRPC stream: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function framed(message: Uint8Array): Buffer {
  return framedAll([message]);
}

/** Framed messages, one after the other, in one buffer. */
export function framedAll(messages: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const message of messages) bytes += framedBytes(message);

  const frames = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const message of messages) {
    frames[at] = 0;
    frames.writeUInt32BE(message.length, at + 1);
    frames.set(message, at + PREFIX_BYTES);
    at += framedBytes(message);
  }
  return frames;
}

/** The size of a message on a stream. */
export function framedBytes(message: Uint8Array): number {
  return PREFIX_BYTES + message.length;
}
