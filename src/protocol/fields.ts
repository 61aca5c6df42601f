import type { DescField } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** Numbers of the fields of a message by their names, for the codecs by hand: `durabletask.proto` alone has them. */
export function fieldNumbers<Name extends string>(schema: {
  readonly field: Readonly<Record<Name, DescField>>;
}): Readonly<Record<Name, number>> {
  const fields = Object.entries<DescField>(schema.field).map(([name, { number }]) => [name, number]);
  return Object.fromEntries(fields) as Record<Name, number>;
}

/** The tag of a field that has a length, as one byte: of a field up to number 15. */
export function lengthTag(fieldNumber: number): number {
  return (fieldNumber << 3) | WireType.LengthDelimited;
}

/** The tag of a field that is a varint, as one byte: of a field up to number 15. */
export function varintTag(fieldNumber: number): number {
  return (fieldNumber << 3) | WireType.Varint;
}
