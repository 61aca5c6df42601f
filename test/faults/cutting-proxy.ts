import { createConnection, createServer, type Server, type Socket } from "node:net";

/** `up`: towards the emulator. */
export type Direction = "up" | "down";

/** Stands between the emulator and those who speak to it, and cuts connections in the middle of what they say. */
export class CuttingProxy {
  readonly #server: Server;
  readonly #target: string;
  readonly #connections = new Set<() => void>();
  /** Bytes that may still pass before the connection is cut over which the last of them went. */
  readonly #left: Partial<Record<Direction, number>> = {};
  cuts = 0;

  private constructor(target: string) {
    this.#target = target;
    this.#server = createServer((near) => {
      this.#join(near, createConnection(this.#target));
    });
  }

  static async listen(socket: string, target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(target);
    await new Promise<void>((resolve) => {
      proxy.#server.listen(socket, resolve);
    });
    return proxy;
  }

  /** Cuts a connection once so many more bytes have gone that way, over whichever. */
  cutAfter(bytes: number, direction: Direction): void {
    this.#left[direction] = bytes;
  }

  close(): void {
    this.#server.close();
    for (const end of this.#connections) end();
  }

  #join(near: Socket, far: Socket): void {
    const end = (): void => {
      this.#connections.delete(end);
      near.destroy();
      far.destroy();
    };
    this.#connections.add(end);
    for (const [from, to, direction] of [
      [near, far, "up"],
      [far, near, "down"],
    ] as const) {
      from.on("error", end);
      from.on("close", end);
      from.on("data", (chunk: Buffer) => {
        if (this.#passes(chunk.length, direction)) {
          if (!to.write(chunk)) {
            from.pause();
            to.once("drain", () => from.resume());
          }
        } else {
          const last = this.#left[direction]!;
          delete this.#left[direction];
          this.cuts += 1;
          from.pause();
          // What came before the cut arrives.
          to.end(chunk.subarray(0, last), end);
        }
      });
    }
  }

  #passes(bytes: number, direction: Direction): boolean {
    const left = this.#left[direction];
    if (left === undefined) return true;
    if (left < bytes) return false;
    this.#left[direction] = left - bytes;
    return true;
  }
}
