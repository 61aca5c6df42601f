/**
 * Fields whose length is known before they are written, so that a message is one buffer of the right size. This pays
 * for messages of every activity. Tags are one byte. An empty text has no field, as in proto3.
 */

/** The size of an int32 as a varint. A negative one is extended to 64 bits. */
export function int32Length(value: number): number {
  if (value < 0) return 10;

  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Returns the offset behind it. */
export function writeInt32(target: Uint8Array, offset: number, value: number): number {
  const last = offset + int32Length(value) - 1;
  let rest = value;
  for (let position = offset; position < last; position++) {
    target[position] = (rest & 0x7f) | 0x80;
    rest >>= 7;
  }
  // The tenth byte of a negative number has the one remaining bit of 64.
  target[last] = rest & (value < 0 ? 1 : 0x7f);
  return last + 1;
}

/** The size of a field with this payload, including its tag and its length. */
export function fieldLength(bytes: number): number {
  return 1 + int32Length(bytes) + bytes;
}

/** The size of a string field. */
export function textFieldLength(text: string): number {
  return text === "" ? 0 : fieldLength(Buffer.byteLength(text));
}

/** Returns the offset behind the field. */
export function writeTextField(target: Buffer, offset: number, tag: number, text: string): number {
  if (text === "") return offset;

  target[offset] = tag;
  const start = writeInt32(target, offset + 1, Buffer.byteLength(text));
  return start + target.write(text, start);
}
