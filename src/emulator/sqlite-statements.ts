import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { guarded, storeError } from "./sqlite-error.js";

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

/** Statements of a database by their text, each prepared once. What they throw is a `StoreError`. */
export class Statements {
  readonly #prepared = new Map<string, StatementSync>();

  constructor(private readonly db: DatabaseSync) {}

  run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return guarded(() => this.#prepare(sql).run(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return guarded(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Like `all`, row by row: the database must not be changed in between. */
  *iterate(sql: string, ...values: SQLInputValue[]): Generator<Row, void, void> {
    try {
      yield* this.#prepare(sql).iterate(...values) as Iterable<Row>;
    } catch (error) {
      throw storeError(error);
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
