import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** The address of a server: TCP, or a Unix socket. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** Of a gRPC name: `unix:/path`, `host:port`. */
export function socketAddressOf(name: string, defaultPort: number): SocketAddress {
  const [, path] = /^unix:(?:\/\/(?=\/))?(.+)$/u.exec(name) ?? [];
  if (path !== undefined) return { path };
  const [, host = name, port = defaultPort] = /^(.*):(\d+)$/u.exec(name) ?? [];
  return { host: host.replace(/^\[(.*)\]$/u, "$1"), port: Number(port) };
}

/** How to open the socket of an HTTP/2 connection. */
export interface Http2Sockets {
  readonly scheme: "http" | "https";
  /**
   * Opens a socket to the server. `onFault` is called, before anything is sent, with the reason why a server that was
   * reached must not be used. Everything else comes from the events of the socket.
   */
  open(onFault: (reason: string) => void): Socket;
}

export class PlaintextSockets implements Http2Sockets {
  readonly scheme = "http";
  readonly #address: SocketAddress;

  constructor(address: SocketAddress) {
    this.#address = address;
  }

  open(): Socket {
    return connect({ ...this.#address, noDelay: true });
  }
}

/** MIN_CONNECT_TIMEOUT of https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md. */
const CONNECT_TIMEOUT_MS = 20_000;

/**
 * TLS sockets to one server. node:tls reports a connection only after it has verified the certificate and the server's
 * name.
 */
export class TlsSockets implements Http2Sockets {
  readonly scheme = "https";
  readonly #address: { readonly host: string; readonly port: number };
  /** Shortens the handshake of the next connection. Node provides it only for verified servers. */
  #session: Buffer | undefined;

  constructor(address: { readonly host: string; readonly port: number }) {
    this.#address = address;
  }

  open(onFault: (reason: string) => void): Socket {
    const { host, port } = this.#address;
    const socket = connectTls({
      host,
      port,
      ALPNProtocols: ["h2"],
      // An IP address may not be a server name (RFC 6066). Node checks the certificate for it nevertheless.
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
      // NODE_TLS_REJECT_UNAUTHORIZED=0 would send tokens to anybody.
      rejectUnauthorized: true,
    });
    const refuse = (reason: string): void => {
      // The owner ends its session on this event. Otherwise node:http2 would start one on a dead socket, and abort.
      onFault(reason);
      socket.destroy();
    };
    const timer = setTimeout(
      () => refuse(`The TLS handshake did not finish within ${CONNECT_TIMEOUT_MS / 1_000} s`),
      CONNECT_TIMEOUT_MS,
    ).unref();
    socket.once("secureConnect", () => {
      clearTimeout(timer);
      if (socket.alpnProtocol !== "h2") refuse("The server did not agree on HTTP/2");
    });
    socket.on("session", (session) => (this.#session = session));
    socket.once("error", () => (this.#session = undefined));
    socket.once("close", () => clearTimeout(timer));
    return socket;
  }
}
