import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { ADMIN_SERVICE, type EmulatorStatus } from "../protocol/admin.js";
import { isServiceError } from "./call-retry.js";
import { channelOptions } from "./channel-options.js";
import { unaryCall } from "./unary-call.js";

/** An emulator that runs answers at once, unless it gets no processor. */
const DEADLINE_MS = 5_000;

/** A short connection to the emulator's socket, for one or two questions. */
export class AdminConnection {
  readonly #client: Client;

  constructor(socket: string) {
    this.#client = new Client(`unix:${socket}`, credentials.createInsecure(), channelOptions("emulator"));
  }

  /** Undefined if no emulator answers. */
  async status(): Promise<EmulatorStatus | undefined> {
    try {
      return (await this.#call("Status")) as EmulatorStatus;
    } catch (error) {
      if (isAway(error)) return undefined;

      throw error;
    }
  }

  /** Asks the emulator to stop. It may be gone before its answer arrives. */
  async stop(): Promise<void> {
    try {
      await this.#call("Stop");
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #call(method: string): Promise<unknown> {
    const deadline = Date.now() + DEADLINE_MS;
    const path = `/${ADMIN_SERVICE}/${method}`;
    const response = await unaryCall(this.#client, path, Buffer.from("{}"), new Metadata(), { deadline });
    return JSON.parse(response.toString());
  }
}

function isAway(error: unknown): boolean {
  return isServiceError(error) && (error.code === status.UNAVAILABLE || error.code === status.DEADLINE_EXCEEDED);
}
