import type { AddressInfo } from "node:net";
import { UsageError } from "../errors.js";

const MAX_PORT = 65_535;

/**
 * Reads `--port`; 0 means any free port.
 * @throws UsageError
 */
export function parsePort(text: string): number {
  const port = /^\d+$/u.test(text) ? Number(text) : Number.NaN;
  if (!(port <= MAX_PORT)) {
    throw new UsageError(
      "invalid-value",
      `--port: expected a number from 0 (any free port) to ${MAX_PORT}, found "${text}"`,
    );
  }

  return port;
}

/**
 * Reads `--host`, an IPv6 address with or without brackets.
 * @throws UsageError
 */
export function parseHost(text: string): string {
  const host = text.replace(/^\[(.*)\]$/u, "$1");
  if (!/^[0-9a-z.:_-]+$/iu.test(host))
    throw new UsageError("invalid-value", `--host: expected a name or an address of this machine, found "${text}"`);

  return host;
}

/** An address is a string only if a server listens on a pipe. None of ours does. */
export function portOf(address: AddressInfo | string | null): number {
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** Translates an error of `listen` that the port or the host caused. Returns any other error unchanged. */
export function listenError(host: string, port: number, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  const found = typeof code === "string" ? LISTEN_ERRORS[code]?.(host, port) : undefined;
  if (found === undefined) return error;
  return new UsageError("unavailable-address", found.problem, { hint: found.hint, cause: error });
}

interface ListenError {
  readonly problem: string;
  readonly hint: string;
}

const noSuchHost = (host: string): ListenError => ({
  problem: `${host} is no address of this machine.`,
  hint: "Choose another with --host, for example 127.0.0.1.",
});

const LISTEN_ERRORS: Readonly<Record<string, (host: string, port: number) => ListenError>> = {
  EADDRINUSE: (host, port) => ({
    problem: `Port ${port} on ${host} is in use.`,
    hint: "Choose another with --port, or stop what listens there.",
  }),
  EACCES: (_, port) => ({
    problem: `Port ${port} needs rights that this user does not have.`,
    hint: "Choose one above 1023 with --port.",
  }),
  EADDRNOTAVAIL: noSuchHost,
  ENOTFOUND: noSuchHost,
  EAI_AGAIN: noSuchHost,
};
