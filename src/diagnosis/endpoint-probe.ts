import { lookup } from "node:dns/promises";
import { once } from "node:events";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { EndpointConnection } from "../backend/connection-string.js";
import { FanoutError } from "../errors.js";

const PATIENCE_MS = 10_000;
const DAY_MS = 86_400_000;

/** The address of an endpoint's calls. */
export interface Address {
  /** An IPv6 address has no brackets. */
  readonly host: string;
  readonly port: number;
}

export function addressOf({ url }: EndpointConnection): Address {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  return { host: url.hostname.replace(/^\[(.*)\]$/u, "$1"), port };
}

/** The IP addresses of the host. */
export async function resolveHost({ host }: Address): Promise<string[]> {
  const addresses = await lookup(host, { all: true });
  return addresses.map(({ address }) => address);
}

/** Connects and closes the connection. Returns the address that answered. */
export async function probeTcp({ host, port }: Address): Promise<string> {
  const socket = connectTcp({ host, port });
  try {
    await established(socket, "connect");
    return `${socket.remoteAddress}:${socket.remotePort}`;
  } finally {
    socket.destroy();
  }
}

/** The result of a TLS handshake. */
export interface TlsState {
  readonly version: string;
  /** The certificate's common name, or its alternative names. */
  readonly subject: string;
  readonly daysLeft: number;
}

/**
 * Rejects as gRPC's own handshake would, and with a FanoutError if the server does not speak HTTP/2. `tunnel` is a
 * connection to the server.
 */
export async function probeTls({ host, port }: Address, tunnel?: Socket): Promise<TlsState> {
  // An IP address is no server name.
  const serverName = isIP(host) === 0 ? { servername: host } : {};
  const socket = connectTls({ host, port, ALPNProtocols: ["h2"], ...serverName, ...(tunnel && { socket: tunnel }) });
  try {
    await established(socket, "secureConnect");
    if (socket.alpnProtocol !== "h2") {
      throw new FanoutError("not-a-backend", "The endpoint speaks TLS, but not HTTP/2.", {
        hint: "Check that the port is its gRPC port.",
      });
    }

    const { subject, subjectaltname, valid_to: validTo } = socket.getPeerCertificate();
    const name: string | string[] = subject.CN ?? subjectaltname ?? "(no name)";
    return {
      version: socket.getProtocol() ?? "unknown",
      subject: typeof name === "string" ? name : name.join(", "),
      daysLeft: Math.floor((Date.parse(validTo) - Date.now()) / DAY_MS),
    };
  } finally {
    socket.destroy();
  }
}

/** `once` rejects with the socket's error if that comes first. */
async function established(socket: Socket, event: string): Promise<void> {
  try {
    await once(socket, event, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") {
      throw new FanoutError("backend-unreachable", `Nothing answers within ${PATIENCE_MS / 1000} s.`, {
        hint: "Check the port, and the firewalls on the way.",
      });
    }
    throw error;
  }
}
