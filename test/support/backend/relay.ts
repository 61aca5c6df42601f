import { once } from "node:events";
import { connect, createServer, type AddressInfo, type NetConnectOpts, type Server, type Socket } from "node:net";

/** Connections through here are counted, and can be broken as the death of a machine or of a process breaks them. */
export class Relay {
  /** Connections that have been made so far. */
  made = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(to: NetConnectOpts) {
    this.#server = createServer((near) => {
      this.made += 1;
      const far = connect(to);
      for (const [from, into] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.pipe(into);
        from.on("error", () => {});
        from.on("close", () => {
          this.#sockets.delete(from);
          into.destroy();
        });
      }
    });
  }

  static async start(to: NetConnectOpts): Promise<Relay> {
    const relay = new Relay(to);
    relay.#server.listen(0, "127.0.0.1");
    await once(relay.#server, "listening");
    return relay;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends what connections there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Passes nothing on any more, and says nothing of it. */
  freeze(): void {
    for (const socket of this.#sockets) socket.unpipe();
  }

  close(): void {
    this.#server.close();
    this.cut();
  }
}
