import type { Backend } from "../backend/backend.js";
import { greet } from "../backend/greeting.js";
import type { Billing } from "../plan/spend-guard.js";

/**
 * The name of the backend, after a check that it is one. `guard` throws if this kind of backend must not get the load;
 * it is called for each backend other than the embedded emulator.
 */
export async function placeOf(backend: Backend, guard: (billing: Billing) => void): Promise<string> {
  const { displayName, connection } = backend;
  if (connection.kind === "emulator") return displayName;
  const { emulatorVersion } = await greet(backend).catch((error: unknown) => {
    guard("billed");
    throw error;
  });
  guard(emulatorVersion === undefined ? "billed" : "emulator");
  return emulatorVersion === undefined
    ? displayName
    : `a fanout emulator at ${displayName}, version ${emulatorVersion}`;
}
