/** No bytes: a message without fields, and what has not been read yet. A Buffer, which is a Uint8Array as well. */
export const EMPTY_BYTES: Buffer = Buffer.alloc(0);
