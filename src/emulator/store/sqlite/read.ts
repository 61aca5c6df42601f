import type { SQLInputValue } from "node:sqlite";
import { CHUNK_EVENT, frame, unframe } from "../../../protocol/event-frames.js";
import type { Row } from "./statements.js";
import type { CompletedFilter, CompletedPlace, IdFilter, InstanceRow, RowFilter } from "../store.js";
import { Status, isTerminal } from "../../../protocol/orchestration-status.js";

/** Rows that one read looks at, at most: about 10 ms, however few of them pass its filter. */
export const MOST_ROWS = 20_000;
/** Bytes of inputs, outputs and the like behind which a page ends early: gRPC takes messages of 4 MiB by default. */
export const MOST_PAYLOAD_BYTES = 2 * 1024 * 1024;

export const METADATA = `key, task_hub, instance_id, execution_id, name, version, status, created_us, updated_us,
  completed_us, scheduled_start_us, tasks_completed, parent_id, parent, tags, trace`;
const PAYLOADS = "input, output, custom_status, failure";

const KNOWN = Object.values(Status);

/** A statement with its values. */
interface Sql {
  readonly sql: string;
  readonly values: readonly SQLInputValue[];
}

/** A read of part of an index, in its order. */
export interface RangeRead<P> {
  readonly rows: Sql;
  /** Finds the last row that `rows` looked at where there are more behind it; none where that filters nothing. */
  readonly last: Sql | undefined;
  readonly placeOf: (row: InstanceRow) => P;
}

export function columns(payloads: boolean): string {
  return payloads ? `${METADATA}, ${PAYLOADS}` : METADATA;
}

/** Instances in the order of their ids. */
export function readById(filter: RowFilter): RangeRead<string> {
  // The few in flight have an index of their own, which those who ask for them alone do not leave.
  const inFlight = filter.statuses.length > 0 && !filter.statuses.some(isTerminal);
  const range = conditions(...idRange(filter), inFlight && ["completed_us = 0"]);
  const rest = conditions(
    filter.statuses.length > 0 && hasStatus(filter.statuses),
    filter.createdFromUs > 0 && ["created_us >= ?", filter.createdFromUs],
    filter.createdToUs > 0 && ["created_us <= ?", filter.createdToUs],
  );
  return {
    ...rangeRead({
      index: inFlight ? "instances_in_flight" : "instances_by_id",
      order: ["instance_id"],
      columns: columns(filter.payloads),
      range,
      rest,
      limit: filter.limit,
    }),
    placeOf: ({ instanceId }) => instanceId,
  };
}

/** Instances that have ended, in the order of their completion. */
export function readByCompletion(filter: CompletedFilter): RangeRead<CompletedPlace> {
  const { after, completedFromUs, completedToUs } = filter;
  const range = conditions(
    // One lower bound, and in front of what the index holds anyway: see `idRange`.
    after === undefined
      ? ["completed_us >= ?", completedFromUs]
      : ["(completed_us, key) > (?, ?)", after.completedUs, after.key],
    completedToUs > 0 && ["completed_us <= ?", completedToUs],
    ["completed_us > 0"],
  );
  const rest = conditions(["task_hub = ?", filter.taskHub], filter.statuses.length > 0 && hasStatus(filter.statuses));
  return {
    ...rangeRead({
      index: "instances_ended",
      order: ["completed_us", "key"],
      columns: columns(false),
      range,
      rest,
      limit: filter.limit,
    }),
    placeOf: ({ completedUs, key }) => ({ completedUs, key }),
  };
}

/** The ids that a filter is about, as conditions on the index of ids. */
export function idRange({ taskHub, instanceIdPrefix, afterInstanceId }: IdFilter): readonly (Condition | false)[] {
  // One lower bound: of two, SQLite begins at the first, and passes all rows up to the other.
  const isBehind = Buffer.compare(Buffer.from(afterInstanceId), Buffer.from(instanceIdPrefix)) >= 0;
  return [
    ["task_hub = ?", taskHub],
    isBehind ? ["instance_id > ?", afterInstanceId] : ["instance_id >= ?", instanceIdPrefix],
    instanceIdPrefix !== "" && ["instance_id < ?", behindPrefix(instanceIdPrefix)],
  ];
}

interface Range {
  readonly index: string;
  /** The columns of the index that it is read in the order of. */
  readonly order: readonly string[];
  readonly columns: string;
  /** What the index answers. */
  readonly range: Where;
  /** What is tried on each row. */
  readonly rest: Where;
  readonly limit: number;
}

function rangeRead({ index, order, columns, range, rest, limit: most }: Range): Omit<RangeRead<never>, "placeOf"> {
  // One more tells whether the page is the last.
  const limit = most + 1;
  const indexed = `FROM instances INDEXED BY ${index} WHERE ${range.where}`;
  const ordered = `ORDER BY ${order.join(", ")}`;
  if (rest.where === "") {
    return {
      rows: { sql: `SELECT ${columns} ${indexed} ${ordered} LIMIT ?`, values: [...range.values, limit] },
      last: undefined,
    };
  }
  return {
    rows: {
      sql: `SELECT ${columns} FROM (SELECT * ${indexed} ${ordered} LIMIT ${MOST_ROWS}) WHERE ${rest.where} LIMIT ?`,
      values: [...range.values, ...rest.values, limit],
    },
    last: {
      sql: `SELECT ${METADATA} ${indexed} ${ordered} LIMIT 1 OFFSET ${MOST_ROWS - 1}`,
      values: range.values,
    },
  };
}

/** The least text that is greater than every text with that prefix, in SQLite's order of bytes. */
function behindPrefix(prefix: string): string {
  return `${prefix}\u{10FFFF}`;
}

/** The statuses that an instance may have, each once: callers send lists of any length, and each length is a statement. */
function hasStatus(statuses: readonly number[]): Condition {
  const known = KNOWN.filter((status) => statuses.includes(status));
  return known.length === 0 ? ["FALSE"] : [`status IN (${known.map(() => "?").join(", ")})`, ...known];
}

type Condition = readonly [sql: string, ...values: SQLInputValue[]];

interface Where {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
}

export function conditions(...all: readonly (Condition | false)[]): Where {
  const wanted = all.filter((condition) => condition !== false);
  return { where: wanted.map(([sql]) => sql).join(" AND "), values: wanted.flatMap(([, ...values]) => values) };
}

export function instanceRow(row: Row): InstanceRow {
  const bytes = (column: string): Uint8Array | undefined => (row[column] as Uint8Array | null | undefined) ?? undefined;
  return {
    key: Number(row["key"]),
    taskHub: String(row["task_hub"]),
    instanceId: String(row["instance_id"]),
    executionId: String(row["execution_id"]),
    name: String(row["name"]),
    version: bytes("version"),
    status: Number(row["status"]),
    createdUs: Number(row["created_us"]),
    updatedUs: Number(row["updated_us"]),
    completedUs: Number(row["completed_us"]),
    scheduledStartUs: Number(row["scheduled_start_us"]),
    input: bytes("input"),
    output: bytes("output"),
    customStatus: bytes("custom_status"),
    failure: bytes("failure"),
    tasksCompleted: Number(row["tasks_completed"]),
    parentId: (row["parent_id"] as string | null | undefined) ?? undefined,
    parent: bytes("parent"),
    tags: tagsOf(bytes("tags")),
    trace: bytes("trace"),
  };
}

const NO_TAGS: readonly Uint8Array[] = [];

function tagsOf(framed: Uint8Array | undefined): readonly Uint8Array[] {
  return framed === undefined ? NO_TAGS : [...unframe(framed)];
}

/** How tags are kept: framed, or nothing where there are none. */
export function framedTags(tags: readonly Uint8Array[]): Uint8Array | null {
  return tags.length === 0 ? null : frame(CHUNK_EVENT, tags);
}

/** Bytes of what only a read with payloads has. */
export function payloadBytes({ input, output, customStatus, failure }: InstanceRow): number {
  return [input, output, customStatus, failure].reduce((sum, payload) => sum + (payload?.length ?? 0), 0);
}
