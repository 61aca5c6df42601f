import { Metadata } from "@grpc/grpc-js";
import { TOKEN_HEADER, readLoopbackDoor, type LoopbackDoor } from "../protocol/loopback-door.js";
import type { StateFolder } from "../protocol/state-folder.js";

/** Nobody listens there. */
const NOWHERE: LoopbackDoor = { port: 0, token: "" };

/** Where the owner's commands reach the shared emulator now. The next emulator may listen elsewhere. */
export class EmulatorDoor {
  readonly #state: Pick<StateFolder, "socket" | "loopback">;
  #loopback: LoopbackDoor | undefined;

  constructor(state: Pick<StateFolder, "socket" | "loopback">) {
    this.#state = state;
    this.refresh();
  }

  /** Call it after an emulator was started. */
  refresh(): void {
    const { loopback } = this.#state;
    if (loopback !== undefined) this.#loopback = readLoopbackDoor(loopback) ?? this.#loopback ?? NOWHERE;
  }

  /** A gRPC name. */
  get address(): string {
    return this.#loopback === undefined ? `unix:${this.#state.socket}` : `127.0.0.1:${this.#loopback.port}`;
  }

  /** A Unix socket needs none: its folder is for its owner alone. */
  get token(): string | undefined {
    return this.#loopback?.token;
  }
}

export function tokenMetadata(token: string | undefined, metadata = new Metadata()): Metadata {
  if (token !== undefined) metadata.set(TOKEN_HEADER, token);
  return metadata;
}
