import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";

/** What a worker asks for: work of these names alone, and so many items at a time. */
export interface WantedWork {
  readonly orchestrators: readonly string[];
  readonly activities: readonly string[];
  readonly mostOrchestrators: number;
  readonly mostActivities: number;
  /** Whether each episode has to come with the whole history. */
  readonly replaysAlways: boolean;
}

/**
 * Fields of GetWorkItemsRequest that our emulator and our workers have among themselves, bools. `keepsResults`: the worker
 * keeps a result whose completion was answered with an error that passes, and sends it again. `replaysAlways`: over a link
 * too, each episode comes with the whole history.
 */
const KEEPS_RESULTS_FIELD = 1000;
const REPLAYS_ALWAYS_FIELD = 1001;

/** A GetWorkItemsRequest. Its filters name no entity, so that no entity's work is sent. */
export function writeWorkItemsRequest(wanted: WantedWork): Buffer {
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(wanted.mostOrchestrators);
  writer.tag(2, WireType.Varint).int32(wanted.mostActivities);
  writer.tag(11, WireType.LengthDelimited).fork();
  writeFilters(writer, 1, wanted.orchestrators);
  writeFilters(writer, 2, wanted.activities);
  writer.join().tag(KEEPS_RESULTS_FIELD, WireType.Varint).bool(true);
  writer.tag(REPLAYS_ALWAYS_FIELD, WireType.Varint).bool(wanted.replaysAlways);
  const bytes = writer.finish();
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** OrchestrationFilter and ActivityFilter: a name, of any version. */
function writeFilters(writer: BinaryWriter, field: number, names: readonly string[]): void {
  for (const name of names) {
    writer.tag(field, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(name).join();
  }
}
