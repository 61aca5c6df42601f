import type { DescField } from "@bufbuild/protobuf";
import { WireType } from "@bufbuild/protobuf/wire";

/** The numbers of a message's fields by their names, for codecs by hand. Only `durabletask.proto` defines them. */
export function fieldNumbers<Name extends string>(schema: {
  readonly field: Readonly<Record<Name, DescField>>;
}): Readonly<Record<Name, number>> {
  const fields = Object.entries<DescField>(schema.field).map(([name, { number }]) => [name, number]);
  return Object.fromEntries(fields) as Record<Name, number>;
}

/** The one-byte tag of a field with a length. The number of the field is at most 15. */
export function lengthTag(fieldNumber: number): number {
  return (fieldNumber << 3) | WireType.LengthDelimited;
}

/** The one-byte tag of a varint field. The number of the field is at most 15. */
export function varintTag(fieldNumber: number): number {
  return (fieldNumber << 3) | WireType.Varint;
}
