import { randomBytes, timingSafeEqual } from "node:crypto";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { UsageError } from "../errors.js";
import { readJson } from "../format/read-json.js";

/** Chooses how the owner's commands reach the embedded emulator: `unix` or `tcp`. For the development of fanout. */
export const DOOR_VARIABLE = "FANOUT_EMULATOR_TRANSPORT";

/** The header, or the field of a link's greeting, that proves the owner. */
export const TOKEN_HEADER = "fanout-token";

/** The answer to a call without it. */
export const NO_TOKEN = "The call does not have the token of this emulator, which is for its owner alone.";

/** Where the emulator listens for its owner if it has no Unix socket. Other users reach the port, but not the token. */
export interface LoopbackDoor {
  readonly port: number;
  /** A new one for each emulator. */
  readonly token: string;
}

const TOKEN_BYTES = 32;
const TOKEN = /^[0-9a-f]{64}$/u;

/** Node has no Unix sockets on Windows. @throws UsageError */
export function usesLoopback(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): boolean {
  const chosen = env[DOOR_VARIABLE] || (platform === "win32" ? "tcp" : "unix");
  if (chosen !== "tcp" && chosen !== "unix")
    throw new UsageError("invalid-value", `${DOOR_VARIABLE}: expected unix or tcp, found "${chosen}"`);
  return chosen === "tcp";
}

export function newToken(): string {
  return randomBytes(TOKEN_BYTES).toString("hex");
}

/** In a time that does not depend on where they differ. */
export function isToken(expected: string, found: string | undefined): boolean {
  const [left, right] = [Buffer.from(expected), Buffer.from(found ?? "")];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Readers see all of it or nothing. */
export function writeLoopbackDoor(file: string, door: LoopbackDoor): void {
  const next = `${file}.new`;
  rmSync(next, { force: true });
  writeFileSync(next, JSON.stringify(door), { mode: 0o600, flag: "wx" });
  renameSync(next, file);
}

/** Undefined where no emulator has written it. */
export function readLoopbackDoor(file: string): LoopbackDoor | undefined {
  try {
    const { port, token } = readJson(readFileSync(file, "utf8")) as Partial<LoopbackDoor>;
    const isDoor = Number.isInteger(port) && typeof token === "string" && TOKEN.test(token);
    return isDoor ? { port: port!, token } : undefined;
  } catch {
    // An emulator that starts or ends replaces it at any moment. Whoever needs one asks again.
    return undefined;
  }
}
