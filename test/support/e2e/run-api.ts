import type { FanoutProcess } from "./fanout-process.js";
import { vi } from "vitest";
import type { Run } from "../../../src/http/run-schemas.js";

export const RUNS = "/api/v1/runs";
const LISTENING = /^Orchestration API on (http:\/\/127\.0\.0\.1:\d+),/mu;
/** Long enough for a machine that does much else. */
const PATIENCE_MS = 45_000;

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface ServerEvent {
  readonly id: string;
  readonly event: string;
  readonly data: unknown;
}

/** The run API of a `fanout serve`, as a client sees it. */
export class RunApi {
  private constructor(
    readonly url: string,
    readonly headers: Readonly<Record<string, string>>,
  ) {}

  static async of(serve: FanoutProcess, headers: Readonly<Record<string, string>> = {}): Promise<RunApi> {
    const [, url = ""] = await serve.says(LISTENING);
    await serve.says(/^Connected to/mu);
    return new RunApi(url, headers);
  }

  start(plan: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<Run>> {
    const body = typeof plan === "string" ? plan : JSON.stringify(plan);
    return this.ask(RUNS, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });
  }

  get(runId: string): Promise<Answer<Run>> {
    return this.ask(`${RUNS}/${runId}`);
  }

  cancel(runId: string): Promise<Answer<Run>> {
    return this.ask(`${RUNS}/${runId}/cancel`, { method: "POST" });
  }

  /** Waits until the run is in one of these states. */
  until(runId: string, ...statuses: readonly Run["status"][]): Promise<Run> {
    return vi.waitFor(
      async () => {
        const { body } = await this.get(runId);
        if (!statuses.includes(body.status))
          throw new Error(`Expected ${statuses.join(" or ")}, found ${JSON.stringify(body)}`);
        return body;
      },
      { timeout: PATIENCE_MS, interval: 50 },
    );
  }

  ended(runId: string): Promise<Run> {
    return this.until(runId, "completed", "cancelled", "failed");
  }

  async ask<T>(path: string, { headers = {}, ...init }: RequestInit = {}): Promise<Answer<T>> {
    const response = await fetch(this.url + path, { ...init, headers: { ...this.headers, ...(headers as object) } });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: (text === "" ? undefined : JSON.parse(text)) as T,
    };
  }

  /** The events of a run until its stream ends. */
  async *events(runId: string, lastId?: string): AsyncGenerator<ServerEvent> {
    const headers = { ...this.headers, ...(lastId !== undefined && { "last-event-id": lastId }) };
    const left = new AbortController();
    const response = await fetch(`${this.url}${RUNS}/${runId}/events`, { headers, signal: left.signal });
    if (response.body === null) throw new Error(`Expected events, found ${response.status}`);
    try {
      yield* eventsIn(response.body);
    } finally {
      left.abort();
    }
  }
}

async function* eventsIn(body: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerEvent> {
  let text = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    const blocks = (text + chunk).split("\n\n");
    text = blocks.pop() ?? "";
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split("\n").map((line) => line.split(/: (.*)/su, 2)));
      if (fields["event"] === undefined) continue;
      yield { id: fields["id"] ?? "", event: fields["event"], data: JSON.parse(fields["data"] ?? "") };
    }
  }
}
