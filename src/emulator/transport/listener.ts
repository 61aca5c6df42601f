import { once } from "node:events";
import { createServer, type AddressInfo, type ListenOptions, type Server, type Socket } from "node:net";
import type { SteadyTime } from "../clock/system-time.js";
import { awaitGreeting, type Protocol } from "./connection-protocol.js";
import type { Handler } from "../service/call.js";
import { serveGrpc } from "./grpc/connection.js";
import { serveHttp1 } from "./http1-answers.js";
import { MOST_CONNECTIONS, mostPortConnections } from "../limits/limits.js";
import { serveLink } from "./link-server.js";
import type { MemoryBudget } from "./memory-budget.js";
import { refuseConnection } from "./refused-connection.js";

/**
 * Where a listener is. The owner alone uses the path of a Unix socket in a folder of its own, or any port of the loopback
 * interface with a token. Others use a port, of the loopback interface if not of `host`.
 */
export type Place =
  { readonly path: string } | { readonly token: string } | { readonly port: number; readonly host?: string };

export function isOwners(place: Place): boolean {
  return !("port" in place);
}

/** What a listener is told of its connections, and asks for them. */
export interface ListenerOptions {
  readonly clock: SteadyTime;
  /** By the paths of their methods: handlers for a connection, which end with it. */
  readonly handlersFor: (socket: Socket) => ReadonlyMap<string, Handler>;
  /** Those that a connection beyond the limit still has, beside the refusal of all others. */
  readonly always: ReadonlyMap<string, Handler>;
  /** What the calls of its connections may hold. */
  readonly budget: MemoryBudget;
  /** The number of open connections has changed. */
  readonly onConnections: () => void;
}

/** What is spoken there. */
const OWNERS_PROTOCOLS: readonly Protocol[] = ["grpc", "link"];
const OTHERS_PROTOCOLS: readonly Protocol[] = ["grpc", "http1"];

/**
 * How many connections may wait to be accepted; the kernel lowers it to what it allows. A Unix socket refuses those
 * beyond it at once, and Node's own 511 is fewer than the connections that may be open.
 */
const BACKLOG = 4_096;

/** A socket that is listened on, and its connections: within a limit of its own, so that no other listener is shut out. */
export class Listener {
  readonly #place: Place;
  readonly #options: ListenerOptions;
  readonly #connections = new Set<Socket>();
  readonly #mostConnections: number;
  readonly #protocols: readonly Protocol[];
  readonly #server: Server;

  constructor(place: Place, options: ListenerOptions) {
    const isOwn = isOwners(place);
    this.#place = place;
    this.#options = options;
    this.#mostConnections = isOwn ? MOST_CONNECTIONS : mostPortConnections();
    this.#protocols = isOwn ? OWNERS_PROTOCOLS : OTHERS_PROTOCOLS;
    // An answer does not wait for the acknowledgement of the last one.
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#accept(socket);
    });
    // Those beyond the limit are told so; beyond this they are closed without a word.
    this.#server.maxConnections = 2 * this.#mostConnections;
  }

  /** Rejects with what Node says where it cannot listen there. */
  async open(): Promise<void> {
    this.#server.listen({ ...whereOf(this.#place), backlog: BACKLOG });
    await once(this.#server, "listening");
  }

  /** `unix:PATH`, `owner:ADDRESS:PORT`, or address and port. */
  get endpoint(): string {
    if ("path" in this.#place) return `unix:${this.#place.path}`;
    const endpoint = endpointOf(this.#server.address() as AddressInfo);
    return "token" in this.#place ? `owner:${endpoint}` : endpoint;
  }

  /** Once it listens, unless at a path. */
  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): number {
    return this.#connections.size;
  }

  stopAccepting(): void {
    this.#server.close();
  }

  closeConnections(): void {
    for (const socket of this.#connections) socket.destroy();
  }

  #accept(socket: Socket): void {
    this.#connections.add(socket);
    socket.once("close", () => {
      this.#connections.delete(socket);
      this.#options.onConnections();
    });
    // The close that follows is what counts.
    socket.on("error", () => {});
    this.#options.onConnections();
    const { clock, budget } = this.#options;
    const isTooMany = this.#connections.size > this.#mostConnections;
    const handlers = isTooMany
      ? refuseConnection(socket, this.#mostConnections, this.#options.always, clock)
      : this.#options.handlersFor(socket);
    awaitGreeting(socket, this.#protocols, clock, (protocol, onGreeted) => {
      const token = "token" in this.#place ? this.#place.token : undefined;
      switch (protocol) {
        case "grpc":
          serveGrpc(socket, handlers, { clock, budget, onGreeted, token });
          break;
        case "link":
          serveLink(socket, handlers, { clock, budget, onGreeted, token });
          break;
        case "http1":
          // It has one answer, and as much time for it as others for their greeting.
          serveHttp1(socket);
      }
    });
  }
}

function whereOf(place: Place): ListenOptions {
  if ("path" in place) return { path: place.path };
  return { host: "127.0.0.1", ...("port" in place ? place : { port: 0 }) };
}

function endpointOf({ address, family, port }: AddressInfo): string {
  return family === "IPv6" ? `[${address}]:${port}` : `${address}:${port}`;
}
