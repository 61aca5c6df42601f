import { unframe } from "../../../protocol/event-frames.js";
import type {
  CompletedFilter,
  CompletedPlace,
  EndedFilter,
  EndedInstance,
  EndedPlace,
  InstanceRow,
  Page,
  RowFilter,
} from "../store.js";
import {
  METADATA,
  MOST_PAYLOAD_BYTES,
  MOST_ROWS,
  columns,
  conditions,
  idRange,
  instanceRow,
  payloadBytes,
  readByCompletion,
  readById,
  type RangeRead,
} from "./read.js";
import type { Statements } from "./statements.js";

/** What is asked of instances, and of the events that belong to them. */
export class InstanceReader {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  find(taskHub: string, instanceId: string, payloads: boolean): InstanceRow | undefined {
    const [row] = this.#statements.all(
      `SELECT ${columns(payloads)} FROM instances WHERE task_hub = ? AND instance_id = ?`,
      taskHub,
      instanceId,
    );
    return row && instanceRow(row);
  }

  query(filter: RowFilter): Page<string> {
    return this.#page(readById(filter), filter.limit);
  }

  listCompleted(filter: CompletedFilter): Page<CompletedPlace> {
    return this.#page(readByCompletion(filter), filter.limit);
  }

  childrenOf(taskHub: string, instanceId: string): InstanceRow[] {
    const sql = `SELECT ${METADATA} FROM instances INDEXED BY instances_by_parent WHERE task_hub = ? AND parent_id = ?`;
    return this.#statements.all(sql, taskHub, instanceId).map(instanceRow);
  }

  history(key: number): Uint8Array[] {
    const chunks = this.#statements.all("SELECT events FROM history WHERE key = ? ORDER BY seq", key);
    return chunks.flatMap((row) => [...unframe(row["events"] as Uint8Array)]);
  }

  waiting(key: number): Uint8Array[] {
    const rows = this.#statements.all("SELECT event FROM waiting WHERE key = ? ORDER BY seq", key);
    return rows.map((row) => row["event"] as Uint8Array);
  }

  resultsOfEnded(filter: EndedFilter): { sum: number; next: string | undefined } {
    const { where, values } = conditions(...idRange(filter));
    const [row] = this.#statements.all(
      `SELECT count(*) AS scanned, max(instance_id) AS last,
         total(tasks_completed) FILTER (WHERE completed_us BETWEEN 1 AND ?) AS sum
       FROM (SELECT instance_id, completed_us, tasks_completed FROM instances WHERE ${where} ORDER BY instance_id LIMIT ?)`,
      filter.completedToUs,
      ...values,
      MOST_ROWS,
    );
    const next = Number(row?.["scanned"]) < MOST_ROWS ? undefined : String(row?.["last"]);
    return { sum: Number(row?.["sum"]), next };
  }

  oldestEnded(completedToUs: number, limit: number): number[] {
    const sql = `SELECT key FROM instances INDEXED BY instances_ended WHERE completed_us > 0 AND completed_us <= ?
      ORDER BY completed_us, key LIMIT ?`;
    return this.#statements.all(sql, completedToUs, limit).map((row) => Number(row["key"]));
  }

  endedAfter(place: EndedPlace, completedToUs: number, limit: number): EndedInstance[] {
    const sql = `SELECT key, completed_us, instance_id FROM instances INDEXED BY instances_ended
      WHERE completed_us > 0 AND (completed_us, key) > (?, ?) AND completed_us <= ? ORDER BY completed_us, key LIMIT ?`;
    return this.#statements.all(sql, place.completedUs, place.key, completedToUs, limit).map((row) => ({
      key: Number(row["key"]),
      completedUs: Number(row["completed_us"]),
      instanceId: String(row["instance_id"]),
    }));
  }

  /**
   * The rows of one read: a page of what is in the range, and from where to go on. A filter that few rows pass is tried
   * on a bounded number of them, and payloads end a page early, so that no read holds up all other work.
   */
  #page<P>(read: RangeRead<P>, limit: number): Page<P> {
    const rows: InstanceRow[] = [];
    let bytes = 0;
    for (const row of this.#statements.iterate(read.rows.sql, ...read.rows.values)) {
      const last = rows.at(-1);
      if (last !== undefined && (rows.length === limit || bytes >= MOST_PAYLOAD_BYTES))
        return { rows, next: read.placeOf(last) };

      const instance = instanceRow(row);
      rows.push(instance);
      bytes += payloadBytes(instance);
    }
    const [last] = read.last === undefined ? [] : this.#statements.all(read.last.sql, ...read.last.values);
    return { rows, next: last && read.placeOf(instanceRow(last)) };
  }
}
