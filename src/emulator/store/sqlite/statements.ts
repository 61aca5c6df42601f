import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { storeError } from "./error.js";
import type { StoreError } from "../store.js";

export type Row = Record<string, null | number | bigint | string | Uint8Array>;

/** Statements of a database by their text, each prepared once. What they throw is a `StoreError`. */
export class Statements {
  readonly #db: DatabaseSync;
  readonly #told: (error: StoreError) => StoreError;
  readonly #prepared = new Map<string, StatementSync>();

  /** `told` is handed each error, and returns the one to throw. */
  constructor(db: DatabaseSync, told: (error: StoreError) => StoreError) {
    this.#db = db;
    this.#told = told;
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.guarded(() => this.#prepare(sql).run(...values));
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.guarded(() => this.#prepare(sql).all(...values) as Row[]);
  }

  /** Like `all`, row by row: the database must not be changed in between. */
  *iterate(sql: string, ...values: SQLInputValue[]): Generator<Row, void, void> {
    try {
      yield* this.#prepare(sql).iterate(...values) as Iterable<Row>;
    } catch (error) {
      throw this.#told(storeError(error));
    }
  }

  /** Does something else with the database. */
  guarded<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw this.#told(storeError(error));
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#prepared.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
