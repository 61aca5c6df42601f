import { BinaryReader } from "@bufbuild/protobuf/wire";

/** The first string of a message that starts with one: a StringValue, or the id of an OrchestrationInstance. */
export function readFirstString(bytes: Uint8Array): string {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1) return reader.string();

    reader.skip(wireType, field);
  }
  return "";
}
