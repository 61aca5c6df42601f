import { errorText } from "../../format/error-text.js";
import { InvariantError } from "../../invariant.js";
import { Queue } from "../../async/queue.js";
import { RpcError } from "../../protocol/rpc-error.js";
import type { Stopwatch } from "../clock/system-time.js";
import { StoreError, isGone, type Store } from "./store.js";

interface Command {
  readonly apply: () => unknown;
  readonly answer: (error: Error | undefined, value: unknown) => void;
}

/** Goes on with what is on disk now, or with the error that all are told because that can no longer be said. */
type Durable = (lost: RpcError | undefined) => void;

export interface GroupCommitHandlers {
  /**
   * Runs behind each transaction. What it returns runs once the transaction is on disk, behind its answers: only then
   * may the world see what it changed. Later transactions may have changed memory in between.
   */
  readonly onCommitted: () => () => void;
  /** Runs behind a transaction that failed: what is kept in memory has to be read from the store again. */
  readonly onRolledBack: () => void;
  /** A sync has failed, or memory contradicts itself. Everything is refused from here on; what is on disk shows when the store is opened again. */
  readonly onLost: (error: Error) => void;
}

/**
 * A transaction, or the answers behind a sync, that have taken so long go on in the next turn of the event loop, for pings
 * and signals are not answered meanwhile. One command may take longer: an episode that asks for thousands of activities.
 */
const MOST_TURN_MS = 25;

/**
 * One transaction for all that arrives in one turn of the event loop, and the answers once it is on disk: acknowledged
 * means durable, and a thousand calls at once cost one fsync. While a slow disk is at it, the next turns are applied
 * and committed; one sync at a time covers all that was committed before it began.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #clock: Stopwatch;
  readonly #handlers: GroupCommitHandlers;
  #commands: Command[] = [];
  /** What goes on behind the sync that is under way, what behind the one after it, and what at once; in this order. */
  #covered: Durable[] = [];
  #uncovered: Durable[] = [];
  readonly #durable = new Queue<Durable>();
  #syncing = false;
  /** Whether what is on disk goes on in the next turn. */
  #isDelivering = false;
  /** What all that comes from now on is told. */
  #refusal: RpcError | undefined;

  constructor(store: Store, clock: Stopwatch, handlers: GroupCommitHandlers) {
    this.#store = store;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /**
   * Runs `apply` in the transaction of this turn, then `answer`. An RpcError that `apply` throws, before it has
   * written anything, is that command's own answer; any other error rolls the whole turn back.
   */
  submit<T>(apply: () => T, answer: (error: Error | undefined, value: T | undefined) => void): void {
    if (this.#refusal !== undefined) {
      answer(this.#refusal, undefined);
      return;
    }
    this.#commands.push({ apply, answer: answer as Command["answer"] });
    if (this.#commands.length === 1) this.#commitSoon();
  }

  /**
   * Calls back once all that is committed now is on disk, and so whatever the caller has just read; at once if it is.
   * Calls back with an error if that will not be known.
   */
  whenDurable(then: Durable): void {
    if (this.#uncovered.length > 0) this.#uncovered.push(then);
    else if (this.#syncing) this.#covered.push(then);
    else if (this.#durable.length > 0) this.#durable.push(then);
    else then(this.#lost);
  }

  /** Commits all that is waiting now. */
  flush(): void {
    this.#commit(Infinity);
  }

  #commitSoon(): void {
    setImmediate(() => {
      this.#commit(this.#clock.steadyMs() + MOST_TURN_MS);
    });
  }

  /** Commits what is waiting; what is left at that time is for the next turn. */
  #commit(untilMs: number): void {
    if (this.#commands.length === 0) return;

    const results: { error: Error | undefined; value: unknown }[] = [];
    let commands = this.#commands;
    this.#commands = [];
    try {
      this.#store.begin();
      for (const { apply } of commands) {
        results.push(attempt(apply));
        if (this.#clock.steadyMs() >= untilMs) break;
      }
      this.#store.commit();
    } catch (error) {
      if (isGone(error) || error instanceof InvariantError) {
        if (error instanceof InvariantError) this.#store.rollback();
        this.#commands.unshift(...commands);
        this.lose(error);
      } else {
        this.#rollBack(commands, storeAnswer(error));
      }
      return;
    }
    if (results.length < commands.length) {
      // In front of what the commands of this turn have submitted.
      this.#commands = [...commands.slice(results.length), ...this.#commands];
      commands = commands.slice(0, results.length);
      this.#commitSoon();
    }
    const publish = this.#handlers.onCommitted();
    this.#uncovered.push((lost) => {
      for (const [index, { answer }] of commands.entries()) {
        const { error, value } = results[index]!;
        answer(lost ?? error, lost === undefined ? value : undefined);
      }
      if (lost === undefined) publish();
    });
    this.#sync();
  }

  /** Sees to it that what was acknowledged is still there. */
  checkFiles(): void {
    try {
      this.#store.checkFiles();
    } catch (error) {
      this.lose(error);
    }
  }

  /** Commits what is waiting, brings it to the disk, and refuses all that comes after. */
  close(): void {
    this.flush();
    this.checkFiles();
    if (this.#syncing) {
      this.#syncing = false;
      try {
        this.#store.syncNow();
      } catch (error) {
        this.lose(error);
        return;
      }
      this.#release(this.#covered.splice(0));
      this.#release(this.#uncovered.splice(0));
    }
    this.#deliver(Infinity);
    this.#refusal ??= new RpcError("UNAVAILABLE", "The emulator is stopping.");
  }

  get #lost(): RpcError | undefined {
    return this.#refusal instanceof LostError ? this.#refusal : undefined;
  }

  #sync(): void {
    if (this.#syncing || this.#uncovered.length === 0) return;

    this.#syncing = true;
    this.#covered = this.#uncovered;
    this.#uncovered = [];
    this.#store.sync((error) => {
      if (!this.#syncing) {
        // `close` has not waited for it.
        return;
      }
      this.#syncing = false;
      if (error !== undefined) {
        this.lose(error);
        return;
      }
      this.#release(this.#covered.splice(0));
      // The next sync runs beside the answers. One that is over at once has put its own behind these.
      this.#sync();
      this.#deliver(this.#clock.steadyMs() + MOST_TURN_MS);
    });
  }

  #release(durable: readonly Durable[]): void {
    for (const each of durable) this.#durable.push(each);
  }

  /** Goes on with what is on disk; what is left at that time is for the next turn. */
  #deliver(untilMs: number): void {
    for (let next = this.#durable.first; next !== undefined; next = this.#durable.first) {
      this.#durable.drop();
      next(undefined);
      if (this.#durable.length > 0 && this.#clock.steadyMs() >= untilMs) {
        this.#deliverSoon();
        return;
      }
    }
  }

  #deliverSoon(): void {
    if (this.#isDelivering) return;

    this.#isDelivering = true;
    setImmediate(() => {
      this.#isDelivering = false;
      this.#deliver(this.#clock.steadyMs() + MOST_TURN_MS);
    });
  }

  #rollBack(commands: readonly Command[], answer: RpcError): void {
    this.#store.rollback();
    this.#handlers.onRolledBack();
    const publish = this.#handlers.onCommitted();
    // What memory now holds may be of an earlier turn that is not on disk yet.
    this.whenDurable((lost) => {
      for (const command of commands) command.answer(lost ?? answer, undefined);

      if (lost === undefined) publish();
    });
  }

  /**
   * Refuses everything from here on. The kernel may have dropped what it could not write, so that no later sync can make
   * up for one that failed; a file that is gone, or damaged, does not come back either.
   */
  lose(error: unknown): void {
    const isNew = this.#lost === undefined;
    const lost = this.#lost ?? new LostError(error);
    this.#refusal = lost;
    this.#deliver(Infinity);
    for (const each of [...this.#covered.splice(0), ...this.#uncovered.splice(0)]) each(lost);

    for (const { answer } of this.#commands.splice(0)) answer(lost, undefined);

    if (isNew) this.#handlers.onLost(error instanceof Error ? error : new Error(String(error)));
  }
}

class LostError extends RpcError {
  constructor(cause: unknown) {
    if (isGone(cause)) {
      super("DATA_LOSS", cause.message);
    } else if (cause instanceof InvariantError) {
      super(
        "UNAVAILABLE",
        `The emulator found a defect of its own: this does not hold: ${cause.message} It stops; only its next start can ` +
          "tell whether this call was carried out.",
      );
    } else {
      super(
        "UNAVAILABLE",
        `The emulator could not bring its database to the disk: ${errorText(cause)}. It stops; only its next start can ` +
          "tell whether this call was carried out.",
      );
    }
  }
}

function attempt(apply: () => unknown): { error: Error | undefined; value: unknown } {
  try {
    return { error: undefined, value: apply() };
  } catch (error) {
    if (error instanceof RpcError) return { error, value: undefined };

    throw error;
  }
}

function storeAnswer(error: unknown): RpcError {
  const reason = errorText(error);
  if (error instanceof StoreError && error.fault === "full")
    return new RpcError("RESOURCE_EXHAUSTED", `The emulator's disk is full: ${reason}. Nothing was changed.`);

  return new RpcError("INTERNAL", `The emulator could not write to its database: ${reason}. Nothing was changed.`);
}
