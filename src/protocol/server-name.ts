import { FANOUT_VERSION } from "../version.js";

/** By it a client recognises the emulator at a port that looks like any other backend's. */
const PRODUCT = "fanout-emulator";

/** What the emulator calls itself in the `server` header of its answers. */
export const SERVER_NAME = `${PRODUCT}/${FANOUT_VERSION}`;

/** The version of the emulator that has this `server` header; undefined where it is another server's. */
export function emulatorVersionOf(server: string): string | undefined {
  return server.startsWith(`${PRODUCT}/`) ? server.slice(PRODUCT.length + 1) : undefined;
}
