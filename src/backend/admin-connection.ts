import { Client, credentials, status } from "@grpc/grpc-js";
import { ADMIN_SERVICE, type EmulatorStatus } from "../protocol/admin.js";
import { isServiceError } from "./call-retry.js";
import { channelOptions } from "./channel-options.js";
import { tokenMetadata, type EmulatorDoor } from "./emulator-door.js";
import { unaryCall } from "./unary-call.js";

/** An emulator that runs answers at once, unless it gets no processor. */
const DEADLINE_MS = 5_000;

/** A short connection to the shared emulator, for one or two questions. */
export class AdminConnection {
  readonly #client: Client;
  readonly #token: string | undefined;

  constructor({ address, token }: Pick<EmulatorDoor, "address" | "token">) {
    this.#client = new Client(address, credentials.createInsecure(), channelOptions("emulator"));
    this.#token = token;
  }

  /** Undefined if no emulator answers. */
  async status(): Promise<EmulatorStatus | undefined> {
    try {
      return (await this.#call("Status")) as EmulatorStatus;
    } catch (error) {
      if (this.#isAway(error)) return undefined;

      throw error;
    }
  }

  /** Asks the emulator to stop. It may be gone before its answer arrives. */
  async stop(): Promise<void> {
    try {
      await this.#call("Stop");
    } catch (error) {
      if (!this.#isAway(error)) throw error;
    }
  }

  close(): void {
    this.#client.close();
  }

  async #call(method: string): Promise<unknown> {
    const deadline = Date.now() + DEADLINE_MS;
    const path = `/${ADMIN_SERVICE}/${method}`;
    const response = await unaryCall(this.#client, path, Buffer.from("{}"), tokenMetadata(this.#token), { deadline });
    return JSON.parse(response.toString());
  }

  /** Whoever has the port of an emulator that has gone, and does not know its token, may answer anything. */
  #isAway(error: unknown): boolean {
    return isServiceError(error) && (this.#token !== undefined || AWAY.has(error.code));
  }
}

const AWAY: ReadonlySet<status> = new Set([status.UNAVAILABLE, status.DEADLINE_EXCEEDED]);
