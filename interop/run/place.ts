import { mkdtempSync, rmSync } from "node:fs";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { Child, type Command, type Ended } from "#child";
import { INTEROP } from "#languages";

const FANOUT = path.resolve(INTEROP, "../bin/fanout.js");
const PATIENCE_MS = 120_000;

/** fanout in a folder of its own: a home and a state that nobody else has. */
export class Place implements AsyncDisposable {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "fanout-interop-"));

  fanout(...args: readonly string[]): Command {
    const env = { PATH: process.env["PATH"], HOME: this.#folder, FANOUT_STATE_DIR: path.join(this.#folder, "state") };
    return { program: process.execPath, args: [FANOUT, ...args], env, folder: this.#folder };
  }

  run(...args: readonly string[]): Promise<Ended> {
    return Child.run(this.fanout(...args), PATIENCE_MS);
  }

  /** An emulator on what this place has stored. */
  emulator(port: number): Promise<Child> {
    return Child.ready(
      this.fanout("emulator", "--port", String(port), "--task-hubs", "default,another"),
      /any Durable Task SDK/u,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.run("emulator", "stop");
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A TCP port of the loopback interface that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
