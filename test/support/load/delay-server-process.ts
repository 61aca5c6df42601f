import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { credentials } from "@grpc/grpc-js";
import { onTestFinished } from "vitest";
import { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { CHANNEL_OPTIONS, metadataOf } from "../emulator/raw-connection.js";
import { readDelayLog, type DelayRecord } from "../../../bench/delay-server/delay-log.js";

const MAIN = fileURLToPath(new URL("../../../bench/delay-server/delay-server.ts", import.meta.url));

/** The flags of `delay-server.ts`, where they are explained. */
export interface DelayServerFlags {
  readonly delay?: string;
  readonly seed?: number;
  readonly clockOffset?: string;
  readonly servers?: number;
  readonly cliff?: number;
  readonly lacking?: readonly string[];
}

/** A server with known delays in a process of its own, for the test that is running; needs the build. */
export class DelayServerProcess {
  readonly #child: ChildProcess;
  readonly #log: string;

  private constructor(
    child: ChildProcess,
    log: string,
    readonly port: number,
  ) {
    this.#child = child;
    this.#log = log;
  }

  static async start({
    delay,
    seed,
    clockOffset,
    servers,
    cliff,
    lacking,
  }: DelayServerFlags = {}): Promise<DelayServerProcess> {
    const folder = await mkdtemp(join(tmpdir(), "fanout-delay-server-"));
    const log = join(folder, "delays.f64");
    const flags = { delay, seed, servers, cliff, log, "clock-offset": clockOffset, lacking: lacking?.join(",") };
    const args = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [`--${flag}=${value}`]));
    const child = spawn(process.execPath, [MAIN, ...args], { stdio: ["ignore", "pipe", "inherit"] });
    onTestFinished(async () => {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true, force: true });
    });
    for await (const line of createInterface({ input: child.stdout }))
      return new DelayServerProcess(child, log, (JSON.parse(line) as { port: number }).port);

    throw new Error("The server with known delays ended without a word.");
  }

  get connectionString(): string {
    return `Endpoint=http://127.0.0.1:${this.port};Authentication=None;TaskHub=default`;
  }

  /** A client of fanout's that is not told what the error of a call means. */
  client(): SidecarClient {
    const target = {
      address: `127.0.0.1:${this.port}`,
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: CHANNEL_OPTIONS,
      metadata: () => Promise.resolve(metadataOf("default")),
    };
    const policy = { recover: () => Promise.resolve(), maxAttempts: 2, explain: (error: Error) => error };
    const client = new SidecarClient(target, policy);
    onTestFinished(() => client.close());
    return client;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the server. Resolves with what became of its instances, in the order in which they completed. */
  async stop(): Promise<readonly DelayRecord[]> {
    const exited = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    await exited;
    return readDelayLog(this.#log);
  }
}
