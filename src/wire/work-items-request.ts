import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** What a worker asks for: work of these names alone, and so many items at a time. */
export interface WantedWork {
  readonly orchestrators: readonly string[];
  readonly activities: readonly string[];
  readonly mostOrchestrators: number;
  readonly mostActivities: number;
}

/** A GetWorkItemsRequest. Its filters name no entity, so that no entity's work is sent. */
export function writeWorkItemsRequest(wanted: WantedWork): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(wanted.mostOrchestrators);
  writer.tag(2, WireType.Varint).int32(wanted.mostActivities);
  writer.tag(11, WireType.LengthDelimited).fork();
  writeFilters(writer, 1, wanted.orchestrators);
  writeFilters(writer, 2, wanted.activities);
  const bytes = writer.join().finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** OrchestrationFilter and ActivityFilter: a name, of any version. */
function writeFilters(writer: BinaryWriter, field: number, names: readonly string[]): void {
  for (const name of names) {
    writer.tag(field, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name).join();
  }
}
