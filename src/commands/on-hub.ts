import type { Backend } from "../backend/backend.js";
import { resolveConnection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import type { ExitCode } from "../exit-codes.js";
import { Interruption } from "./interruption.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";

export interface HubFlags {
  readonly connectionString?: string | undefined;
  readonly taskHub?: string | undefined;
}

/** Runs an action on a hub, and closes the backend. After a signal, the exit code of the signal wins. */
export async function onHub(
  { connectionString, taskHub }: HubFlags,
  io: CommandIo,
  act: (backend: Backend, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const backend = await openBackend(connection, { onNotice: noticeOn(io.stderr) });
  const interruption = new Interruption();
  try {
    const exitCode = await act(backend, interruption.signal);
    return interruption.exitCode ?? exitCode;
  } catch (error) {
    // A call that Ctrl-C aborted ends with an error of its own.
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    throw error;
  } finally {
    interruption[Symbol.dispose]();
    backend.close();
  }
}

/** `task hub default on the embedded emulator` */
export function placeText({ connection, displayName }: Backend): string {
  return `task hub ${connection.taskHub} on ${displayName}`;
}
