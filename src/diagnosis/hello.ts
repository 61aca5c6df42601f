import { Client, type ServiceError } from "@grpc/grpc-js";
import type { GrpcTarget } from "../backend/backend.js";
import { toldError } from "../backend/grpc-error.js";

const DEADLINE_MS = 10_000;

/** Milliseconds by which the backend's clock is ahead of this machine's: somewhere between the two. */
export interface OffsetBound {
  readonly atLeastMs: number;
  readonly atMostMs: number;
}

export interface Greetings {
  /** Of each call, milliseconds. */
  readonly roundTripsMs: readonly number[];
  /** Undefined where the answers carry no date, or dates that no one offset explains. */
  readonly offset: OffsetBound | undefined;
}

/** Says Hello, the cheapest call there is, some times in a row on one warm connection. Rejects with a ServiceError. */
export async function sayHello(target: GrpcTarget, count: number): Promise<Greetings> {
  const client = new Client(target.address, target.credentials, target.options);
  try {
    // The first pays for the connection, and for the token.
    await hello(client, target);
    const calls: Greeting[] = [];
    for (let n = 0; n < count; n += 1) {
      calls.push(await hello(client, target));
    }
    return { roundTripsMs: calls.map(({ roundTripMs }) => roundTripMs), offset: offsetOf(calls) };
  } finally {
    client.close();
  }
}

interface Greeting {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly roundTripMs: number;
  /** The `date` of the answer: the server's clock in between, cut to the second. */
  readonly dateMs: number | undefined;
}

/**
 * A date says that the server's clock stood within one second from it on, at some time between sent and answered; all
 * dates together say it more closely.
 */
export function offsetOf(calls: readonly Omit<Greeting, "roundTripMs">[]): OffsetBound | undefined {
  let atLeastMs = -Infinity;
  let atMostMs = Infinity;
  for (const { sentMs, answeredMs, dateMs } of calls) {
    if (dateMs === undefined) {
      return undefined;
    }
    atLeastMs = Math.max(atLeastMs, dateMs - answeredMs);
    atMostMs = Math.min(atMostMs, dateMs + 1_000 - sentMs);
  }
  return calls.length > 0 && atLeastMs <= atMostMs ? { atLeastMs, atMostMs } : undefined;
}

async function hello(client: Client, target: GrpcTarget): Promise<Greeting> {
  const metadata = await target.metadata("client");
  const sentMs = Date.now();
  const startedMs = performance.now();
  let dateMs: number | undefined;
  await new Promise<void>((resolve, reject) => {
    const done = (error: ServiceError | null): void => (error === null ? resolve() : reject(toldError(error)));
    client
      .makeUnaryRequest(
        "/TaskHubSidecarService/Hello",
        asIs,
        asIs,
        NOTHING,
        metadata,
        { deadline: sentMs + DEADLINE_MS },
        done,
      )
      .on("metadata", (headers) => {
        const parsed = Date.parse(String(headers.get("date")[0]));
        dateMs = Number.isNaN(parsed) ? undefined : parsed;
      });
  });
  return { sentMs, answeredMs: Date.now(), roundTripMs: performance.now() - startedMs, dateMs };
}

const NOTHING = Buffer.alloc(0);

const asIs = (bytes: Buffer): Buffer => bytes;
