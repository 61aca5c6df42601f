/** The prefix of a message: a flag that says whether it is compressed, and the length of what follows. */
export const PREFIX_BYTES = 5;

/** A message as it goes on a gRPC stream: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export function framed(message: Uint8Array): Buffer {
  return framedAll([message]);
}

/** Messages, one behind the other, in one buffer. */
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

/** Bytes that a message takes on a stream. */
export function framedBytes(message: Uint8Array): number {
  return PREFIX_BYTES + message.length;
}
