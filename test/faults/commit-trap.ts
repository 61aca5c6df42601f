import { InstanceWriter } from "../../dist/emulator/store/sqlite/instance-writer.js";
import { Statements } from "../../dist/emulator/store/sqlite/statements.js";
import { Status } from "../../dist/protocol/orchestration-status.js";
import { StoreError } from "../../dist/emulator/store/store.js";
import { wrap } from "./wrap.js";

/** Something that a transaction does. */
export type Moment = "start" | "event" | "episode" | "end" | "childEnd" | "termination" | "again" | "rewind";

/** The `nth` transaction from now on that does such a thing. */
export interface Trap {
  readonly of: Moment;
  readonly nth: number;
  /** `kill`: once it is committed, and nothing has come of it. `refuse`: it is not, as on a disk that is full. */
  readonly effect: "kill" | "refuse";
}

type Writes = "insert" | "appendWaiting" | "applyEpisode" | "restart" | "reopen" | "rewind";

type MomentsOf = {
  readonly [K in Writes]: (statements: Statements, ...args: Parameters<InstanceWriter[K]>) => Moment[];
};

const MOMENTS_OF: MomentsOf = {
  insert: () => ["start"],
  appendWaiting: () => ["event"],
  applyEpisode(statements, key, { completedUs, status }) {
    if (completedUs === 0) return ["episode"];
    const [row] = statements.all("SELECT parent_id FROM instances WHERE key = ?", key);
    const isChild = row?.["parent_id"] !== null;
    const isTerminated = status === Status.Terminated;
    return ["end", ...(isChild ? (["childEnd"] as const) : []), ...(isTerminated ? (["termination"] as const) : [])];
  },
  restart: () => ["again"],
  reopen: () => ["rewind"],
  rewind: () => ["rewind"],
};

type Method = (this: InstanceWriter, ...args: never[]) => unknown;

const WRITER = InstanceWriter.prototype as unknown as Record<string, Method>;

/**
 * Goes off at a commit. What belongs into one transaction and is in the next one is lost by a kill between the two:
 * a kill at any time hardly ever comes then.
 */
export class CommitTrap {
  #trap: Trap | undefined;
  #left = 0;
  #seen = new Set<Moment>();

  constructor() {
    let begun: Statements | undefined;
    for (const [name, momentsOf] of Object.entries<(statements: Statements, ...args: never[]) => Moment[]>(
      MOMENTS_OF,
    )) {
      const see = (moments: readonly Moment[]): void => moments.forEach((moment) => this.#seen.add(moment));
      wrap(WRITER, name, (method) => {
        return function told(this: InstanceWriter, ...args) {
          // What is written is written in a transaction, which these have begun.
          see(momentsOf(begun!, ...args));
          return method.apply(this, args);
        };
      });
    }
    const begin = (statements: Statements): void => {
      begun = statements;
    };
    const watch = (sql: string): Trap["effect"] | undefined => this.#watch(sql);
    wrap(Statements.prototype, "run", (run) => {
      return function trapped(this: Statements, sql, ...values) {
        if (sql === "BEGIN IMMEDIATE") begin(this);
        const effect = watch(sql);
        if (effect === "refuse") throw new StoreError("full", "database or disk is full");
        const result = run.call(this, sql, ...values);
        if (effect === "kill") process.kill(process.pid, "SIGKILL");
        return result;
      };
    });
  }

  set(trap: Trap): void {
    this.#trap = trap;
    this.#left = trap.nth;
  }

  #watch(sql: string): Trap["effect"] | undefined {
    if (sql === "BEGIN IMMEDIATE") this.#seen.clear();
    if (sql !== "COMMIT" || this.#trap === undefined || !this.#seen.has(this.#trap.of)) return undefined;
    this.#left -= 1;
    if (this.#left > 0) return undefined;
    const { effect } = this.#trap;
    this.#trap = undefined;
    return effect;
  }
}
