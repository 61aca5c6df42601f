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
  return framedAll([[message]]);
}

/** Framed messages, each in its parts, one after the other in one buffer. */
export function framedAll(messages: readonly (readonly Uint8Array[])[]): Buffer {
  let bytes = 0;
  for (const parts of messages) bytes += PREFIX_BYTES + bytesOf(parts);

  const frames = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const parts of messages) {
    frames[at] = 0;
    frames.writeUInt32BE(bytesOf(parts), at + 1);
    at += PREFIX_BYTES;
    for (const part of parts) {
      frames.set(part, at);
      at += part.length;
    }
  }
  return frames;
}

/** The size of a message in parts. */
export function bytesOf(parts: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const part of parts) bytes += part.length;

  return bytes;
}
