/**
 * The emulator of `by-hand.ts`: as it is, or with a part of it replaced. Argument: the name of the part, or none. A part is
 * replaced by prototype, or by a hook on its module, so that the product has no switch for it. Prints a line when it listens;
 * and on SIGUSR2 how late its event loop was since the last one, 99th percentile, milliseconds.
 */
import { registerHooks } from "node:module";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { DatabaseSync } from "node:sqlite";
import type { RunOptions } from "../../src/emulator/process/run-emulator.js";
import { Instance } from "../../dist/emulator/instance/instance.js";
import { GroupCommit } from "../../dist/emulator/store/group-commit.js";
import { Statements } from "../../dist/emulator/store/sqlite/statements.js";
import { openStateFolder } from "../../dist/protocol/state-folder.js";
import { FANOUT_VERSION } from "../../dist/version.js";

/** Replaces a part; returns options that go with that. */
const REPLACE: Readonly<Record<string, () => Pick<RunOptions, "durability">>> = {
  "log-sync": letSqliteSync,
  "group-commit": () => {
    commitEachCall();
    return letSqliteSync();
  },
  "grpc-server": serveWithGrpcJs,
  "history-cache": readHistories,
};

const [part] = process.argv.slice(2);
const replaced = part === undefined ? {} : REPLACE[part]!();
// A hook acts on what is imported after it.
const { runEmulator } = await import("../../dist/emulator/process/run-emulator.js");
await runEmulator({
  state: openStateFolder(),
  version: FANOUT_VERSION,
  port: undefined,
  idleMs: undefined,
  ...replaced,
});
console.log("listening");
const lateness = monitorEventLoopDelay({ resolution: 1 });
lateness.enable();
process.on("SIGUSR2", () => {
  console.log(lateness.percentile(99) / 1e6);
  lateness.reset();
});

/** Puts another method in the place of one, which it may call. */
function wrap<T, K extends keyof T>(prototype: T, name: K, around: (method: T[K]) => T[K]): void {
  prototype[name] = around(prototype[name]);
}

/** SQLite brings each transaction to the disk within COMMIT, and nothing is left to do behind it. */
function letSqliteSync(): { readonly durability: "process" } {
  wrap(DatabaseSync.prototype, "exec", (exec) => {
    return function synced(this: DatabaseSync, sql) {
      exec.call(this, sql.replace("synchronous = NORMAL", "synchronous = FULL"));
    };
  });
  return { durability: "process" };
}

/** A transaction for each call, in place of one for all that arrive in one turn of the event loop. */
function commitEachCall(): void {
  let isInside = false;
  wrap(
    GroupCommit.prototype as Pick<GroupCommit, "flush"> & { submit: (...args: unknown[]) => void },
    "submit",
    (submit) => {
      return function alone(this: GroupCommit, ...args) {
        submit.apply(this, args);
        // What a command submits is for the next transaction.
        if (isInside) return;
        isInside = true;
        this.flush();
        isInside = false;
      };
    },
  );
}

function serveWithGrpcJs(): Record<string, never> {
  registerHooks({
    resolve(specifier, context, next) {
      return specifier === "./grpc/connection.js"
        ? next(new URL("grpc-js-connection.ts", import.meta.url).href, context)
        : next(specifier, context);
    },
  });
  return {};
}

/** Each episode reads the history from the database; what is written goes on to be kept, and is not used. */
function readHistories(): Record<string, never> {
  let read: ((key: number) => Uint8Array[]) | undefined;
  wrap(Statements.prototype, "run", (run) => {
    return function seen(this: Statements, sql, ...values) {
      read ??= (key) => {
        const chunks = this.all("SELECT events FROM history WHERE key = ? ORDER BY seq", key);
        return chunks.map((row) => row["events"] as Uint8Array);
      };
      return run.call(this, sql, ...values);
    };
  });
  Object.defineProperty(Instance.prototype, "history", {
    get(this: Instance) {
      const bytes = Buffer.concat(read?.(this.key) ?? []);
      return { bytes, length: bytes.length };
    },
  });
  return {};
}
