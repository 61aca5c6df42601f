import { isIP } from "node:net";
import { chosenDurability, type Durability } from "../protocol/durability.js";
import { chosenRetention, type Retention } from "../emulator/hub/retention.js";
import type { LimitsMode } from "../emulator/limits/scheduler-limits.js";
import { UsageError } from "../errors.js";
import { parsePort } from "../http/port.js";

/** The flags of `fanout emulator`, as they were given. */
export interface EmulatorFlags {
  readonly port?: string;
  readonly host?: string;
  /** Names with commas between them. */
  readonly taskHubs: string;
  readonly durability?: string;
  /** The same as `--durability ephemeral`. */
  readonly ephemeral?: boolean;
  readonly retention?: string;
  readonly limits?: string;
}

export interface EmulatorCall {
  readonly port: number | undefined;
  readonly host: string;
  readonly taskHubs: readonly string[];
  readonly durability: Durability;
  readonly retention: Retention;
  readonly limits: LimitsMode;
}

const LOOPBACK = "127.0.0.1";
/** Characters that a connection string can hold. A comma separates two names. */
const HUB_NAME = /^[ -+\--:<-~]+$/u;

/**
 * The validated flags.
 * @throws UsageError that names the flag, and what was found
 */
export function emulatorCall(flags: EmulatorFlags): EmulatorCall {
  if (flags.host !== undefined && flags.port === undefined)
    throw new UsageError("missing-flag", "--host needs --port, found --host alone.");

  return {
    port: flags.port === undefined ? undefined : parsePort(flags.port),
    host: flags.host === undefined ? LOOPBACK : parseAddress(flags.host),
    taskHubs: parseTaskHubs(flags.taskHubs),
    durability: chosenDurability(flags.ephemeral ? "ephemeral" : flags.durability),
    retention: chosenRetention(flags.retention),
    // A client of the port tests work for a Scheduler.
    limits: flags.limits === undefined ? (flags.port === undefined ? "none" : "scheduler") : parseLimits(flags.limits),
  };
}

function parseLimits(text: string): LimitsMode {
  if (text !== "scheduler" && text !== "none")
    throw new UsageError("invalid-value", `--limits: expected one of scheduler, none, found "${text}"`);

  return text;
}

/** A host name is refused: its address may change, and then others could reach the emulator. */
function parseAddress(text: string): string {
  const address = text.replace(/^\[(.*)\]$/u, "$1");
  if (isIP(address) === 0) {
    throw new UsageError(
      "invalid-value",
      `--host: expected an IP address of this machine such as 0.0.0.0, found "${text}"`,
    );
  }

  return address;
}

function parseTaskHubs(text: string): readonly string[] {
  const names = text.split(",").map((name) => name.trim());
  for (const [index, name] of names.entries()) {
    if (!HUB_NAME.test(name)) {
      const found = name === "" ? "an empty one" : `"${name}"`;
      throw new UsageError(
        "invalid-value",
        `--task-hubs: expected names of printable ASCII characters without ";", with commas between them, found ${found} in "${text}"`,
      );
    }
    if (names.indexOf(name) !== index)
      throw new UsageError("invalid-value", `--task-hubs: expected each name once, found "${name}" twice`);
  }
  return names;
}
