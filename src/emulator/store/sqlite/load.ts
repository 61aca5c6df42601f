import type * as Sqlite from "node:sqlite";

/**
 * `node:sqlite`, without the one warning that Node 22 prints for it: the emulator relies on it knowingly, and a person
 * who runs a load test can do nothing about it. Every other warning passes.
 */
export async function loadSqlite(): Promise<typeof Sqlite> {
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = (warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).startsWith("SQLite is an experimental feature"))
      Reflect.apply(emitWarning, undefined, [warning, ...rest]);
  };
  try {
    return await import("node:sqlite");
  } finally {
    process.emitWarning = emitWarning;
  }
}

/** SQLite's primary result code of an error that node:sqlite threw, or undefined if it was something else. */
export function sqliteCode(error: unknown): number | undefined {
  if (error instanceof Error && "errcode" in error && typeof error.errcode === "number") return error.errcode & 0xff;

  return undefined;
}

/** Primary result codes: https://sqlite.org/rescode.html */
export const SqliteCode = { Busy: 5, Locked: 6, Corrupt: 11, Full: 13, NotADatabase: 26 } as const;
