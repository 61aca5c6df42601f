import { FANOUT_VERSION } from "../version.js";

/** A client recognises the emulator by it, at a port like any other backend's. */
const PRODUCT = "fanout-emulator";

/** The emulator's name in the `server` header of its answers. */
export const SERVER_NAME = `${PRODUCT}/${FANOUT_VERSION}`;

/** The version of the emulator with this `server` header; undefined for another server. */
export function emulatorVersionOf(server: string): string | undefined {
  return server.startsWith(`${PRODUCT}/`) ? server.slice(PRODUCT.length + 1) : undefined;
}
