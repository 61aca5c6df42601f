import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { onTestFinished } from "vitest";

/** A proxy that takes CONNECT alone, and leads to the one port whatever host was asked for. Closed when the test has ended. */
export class ConnectProxy {
  /** What was asked for, such as `scheduler.test:443`. */
  readonly targets: string[] = [];
  /** In place of a connection. */
  refuseWith: number | undefined;
  readonly #sockets = new Set<Socket>();

  private constructor(
    readonly server: Server,
    port: number,
    /** `user:password` that it wants. */
    credentials: string | undefined,
  ) {
    const wanted = credentials && `Basic ${Buffer.from(credentials).toString("base64")}`;
    server.on("connect", ({ url = "", headers }, client: Socket) => {
      this.targets.push(url);
      client.on("error", () => {});
      const refusal = this.refuseWith ?? (headers["proxy-authorization"] === wanted ? undefined : 407);
      if (refusal !== undefined) return client.end(`HTTP/1.1 ${refusal} Refused\r\n\r\n`);
      const upstream = connect(port, "localhost", () => {
        client.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.pipe(client).pipe(upstream);
      });
      upstream.on("error", () => client.destroy());
      for (const socket of [client, upstream]) this.#sockets.add(socket);
      return undefined;
    });
  }

  static async start(port: number, credentials?: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(createServer().listen(0, "127.0.0.1"), port, credentials);
    await once(proxy.server, "listening");
    onTestFinished(() => proxy.close());
    return proxy;
  }

  /** `127.0.0.1:PORT` */
  get place(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
  }
}
