import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { chooseTransport } from "../backend/transport.js";
import type { ExitCode } from "../exit-codes.js";
import { checkOutputFiles } from "../report/output-files.js";
import { parseCapacityCall, requireMaxActions } from "./capacity-call.js";
import { errorsOnly } from "./errors-only.js";
import type { CommandIo } from "./io.js";

/** `fanout capacity`: searches for the highest load within the objectives. Data goes to stdout, the rest to stderr. */
export async function runCapacityCommand(
  rawFlags: Readonly<Record<string, unknown>>,
  allIo: CommandIo,
): Promise<ExitCode> {
  const call = parseCapacityCall(rawFlags);
  const io = call.quiet ? { ...allIo, stderr: errorsOnly(allIo.stderr) } : allIo;
  const { json, html, text } = call;
  await checkOutputFiles({ json, html, text });
  const { connectionString, taskHub } = call;
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const transport = chooseTransport(connection, call.transport);
  // An http endpoint may be an emulator, which bills nothing: only its answer shows that.
  if (!mayBeEmulator(connection)) requireMaxActions(call);
  const { searchOnBackend } = await import("./capacity-on-backend.js");
  return searchOnBackend({ call, connection, transport, io, resultsIo: allIo });
}

/** Our own emulator has no TLS. */
function mayBeEmulator(connection: Connection): boolean {
  return connection.kind === "emulator" || connection.url.protocol === "http:";
}
