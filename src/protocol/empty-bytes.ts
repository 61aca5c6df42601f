/** No bytes: a message without fields, or the rest of a stream. A Buffer is a Uint8Array too. */
export const EMPTY_BYTES: Buffer = Buffer.alloc(0);
