import { RpcError } from "./rpc-error.js";
import { StoreError, type Store } from "./store.js";

interface Command {
  readonly apply: () => unknown;
  readonly answer: (error: Error | undefined, value: unknown) => void;
}

/**
 * One transaction for all that arrives in one turn of the event loop, and the answers after it: acknowledged means
 * committed, and a thousand calls at once cost one fsync.
 */
export class GroupCommit {
  readonly #store: Store;
  readonly #onCommitted: () => void;
  readonly #onRolledBack: () => void;
  #commands: Command[] = [];
  #closed = false;

  /**
   * `onCommitted` runs after each transaction, behind its answers; `onRolledBack` after one that failed, in front of
   * them: what is kept in memory has to be read from the store again.
   */
  constructor(store: Store, handlers: { onCommitted: () => void; onRolledBack: () => void }) {
    this.#store = store;
    this.#onCommitted = handlers.onCommitted;
    this.#onRolledBack = handlers.onRolledBack;
  }

  /**
   * Runs `apply` in the transaction of this turn, then `answer`. An RpcError that `apply` throws, before it has
   * written anything, is that command's own answer; any other error rolls the whole turn back.
   */
  submit<T>(apply: () => T, answer: (error: Error | undefined, value: T | undefined) => void): void {
    if (this.#closed) {
      answer(new RpcError("UNAVAILABLE", "The emulator is stopping."), undefined);
      return;
    }
    this.#commands.push({ apply, answer: answer as Command["answer"] });
    if (this.#commands.length === 1) {
      setImmediate(() => {
        this.flush();
      });
    }
  }

  /** Commits what is waiting now. */
  flush(): void {
    const commands = this.#commands;
    if (commands.length === 0) {
      return;
    }
    this.#commands = [];
    const results: { error: Error | undefined; value: unknown }[] = [];
    try {
      this.#store.begin();
      for (const { apply } of commands) {
        results.push(attempt(apply));
      }
      this.#store.commit();
    } catch (error) {
      this.#fail(commands, error);
      return;
    }
    for (const [index, { answer }] of commands.entries()) {
      const { error, value } = results[index]!;
      answer(error, value);
    }
    this.#onCommitted();
  }

  /** Commits what is waiting, and refuses all that comes after. */
  close(): void {
    this.flush();
    this.#closed = true;
  }

  #fail(commands: readonly Command[], error: unknown): void {
    this.#store.rollback();
    this.#onRolledBack();
    const answer = storeAnswer(error);
    for (const command of commands) {
      command.answer(answer, undefined);
    }
    this.#onCommitted();
  }
}

function attempt(apply: () => unknown): { error: Error | undefined; value: unknown } {
  try {
    return { error: undefined, value: apply() };
  } catch (error) {
    if (error instanceof RpcError) {
      return { error, value: undefined };
    }
    throw error;
  }
}

function storeAnswer(error: unknown): RpcError {
  if (error instanceof StoreError && error.fault === "full") {
    return new RpcError("RESOURCE_EXHAUSTED", `The emulator's disk is full: ${error.message}. Nothing was changed.`);
  }
  const reason = error instanceof Error ? error.message : String(error);
  return new RpcError("INTERNAL", `The emulator could not write to its database: ${reason}. Nothing was changed.`);
}
