import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { openBackend } from "../../../src/backend/open-backend.js";
import { Emulator } from "../../../src/emulator/process/emulator.js";
import { openSqliteStore } from "../../../src/emulator/store/sqlite/store.js";
import { BackendLink } from "../../../src/http/backend-link.js";
import { startOrchestrationServer, type OrchestrationServer } from "../../../src/http/orchestration-server.js";
import { Readiness } from "../../../src/http/readiness.js";
import { freePort } from "../backend/free-port.js";

const nothing = (): void => {};

/** A real emulator on a TCP port of its own, which can go and come back. */
export class TcpEmulator {
  readonly #folder = mkdtempSync(path.join(tmpdir(), "fanout-serve-"));
  #emulator: Emulator | undefined;

  private constructor(readonly port: number) {}

  static async start(): Promise<TcpEmulator> {
    const served = new TcpEmulator(await freePort());
    await served.open();
    return served;
  }

  async open(): Promise<void> {
    const store = await openSqliteStore(path.join(this.#folder, "emulator.db"));
    this.#emulator = new Emulator({
      store,
      version: "test",
      folder: this.#folder,
      onStop: nothing,
      onLost: nothing,
      onConnections: nothing,
    });
    await this.#emulator.listen({ port: this.port });
  }

  get instances(): number {
    return this.#emulator?.status().instances ?? 0;
  }

  stop(): void {
    this.#emulator?.close();
    this.#emulator = undefined;
  }

  close(): void {
    this.stop();
    rmSync(this.#folder, { recursive: true });
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** Of JSON; anything else fails the test that asks. */
  readonly body: unknown;
}

export interface Asking {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | undefined;
}

export const JSON_HEADERS = { "content-type": "application/json" };

/** The orchestration API of a backend on this port, and ways to ask it. */
export class ServePlace {
  readonly defects: unknown[] = [];
  readonly link: BackendLink;
  #server!: OrchestrationServer;

  constructor(backendPort: number) {
    const flag = `Endpoint=http://127.0.0.1:${backendPort};Authentication=None;TaskHub=hub`;
    this.link = new BackendLink(() => openBackend(resolveConnection({ flag })));
  }

  static async open(
    backendPort: number,
    { host = "127.0.0.1", apiKey, maxPending = 100_000 }: { host?: string; apiKey?: string; maxPending?: number } = {},
  ): Promise<ServePlace> {
    const place = new ServePlace(backendPort);
    place.#server = await startOrchestrationServer({
      port: 0,
      host,
      apiKey,
      maxPending,
      client: place.link.client,
      readiness: new Readiness(place.link.client),
      onDefect: (error) => place.defects.push(error),
    });
    return place;
  }

  get port(): number {
    return Number(new URL(this.#server.url).port);
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.link.close();
  }

  /** By Node's own client: it sends the headers that it is given, Host and Origin as well. */
  ask(target: string, { method = "GET", headers = {}, body }: Asking = {}): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: "127.0.0.1", port: this.port, path: target, method, headers, agent: false };
      const request = httpRequest(options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
        response.on("error", reject).on("end", () => {
          const { statusCode: status = 0, headers } = response;
          resolve({
            status,
            headers,
            text,
            get body() {
              return JSON.parse(text) as unknown;
            },
          });
        });
      });
      request.on("error", reject).end(body);
    });
  }

  post(target: string, value: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const body = JSON.stringify(value);
    return this.ask(target, { method: "POST", headers: { ...JSON_HEADERS, ...headers }, body });
  }
}
