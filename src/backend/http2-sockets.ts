import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

/** Where a server is: of TCP, or of a Unix socket. */
export type SocketAddress = { readonly host: string; readonly port: number } | { readonly path: string };

/** How the socket of an HTTP/2 connection comes about. */
export interface Http2Sockets {
  readonly scheme: "http" | "https";
  /**
   * A socket that is on its way to the server. `onFault` is told, before anything is sent, what is wrong with a server
   * that was reached and may not be spoken to. All else is told by the socket's own events.
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

/** https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md has it as MIN_CONNECT_TIMEOUT. */
const CONNECT_TIMEOUT_MS = 20_000;

/**
 * Of TLS to one server. node:tls says that a socket is connected only once the certificate is trusted, as Node trusts,
 * and has the server's name.
 */
export class TlsSockets implements Http2Sockets {
  readonly scheme = "https";
  readonly #address: { readonly host: string; readonly port: number };
  /** What spares the next connection a part of the handshake. Node tells it of servers alone that it has verified. */
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
      // An IP address may not be a server name (RFC 6066). The certificate is checked for it all the same.
      ...(isIP(host) === 0 && { servername: host }),
      ...(this.#session && { session: this.#session }),
      // NODE_TLS_REJECT_UNAUTHORIZED=0 would hand tokens to anybody.
      rejectUnauthorized: true,
    });
    const refuse = (reason: string): void => {
      // The owner ends its session by it. node:http2 would otherwise set one up on a socket that is gone, and abort.
      onFault(reason);
      socket.destroy();
    };
    const timer = setTimeout(
      () => refuse(`No TLS connection came about within ${CONNECT_TIMEOUT_MS / 1_000} s`),
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
