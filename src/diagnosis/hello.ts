import { Client } from "@grpc/grpc-js";
import type { GrpcTarget } from "../backend/grpc-target.js";
import { hello } from "../backend/greeting.js";

/** The bounds of the backend's clock minus this machine's, in milliseconds. */
export interface OffsetBound {
  readonly atLeastMs: number;
  readonly atMostMs: number;
}

export interface Greetings {
  /** One for each call, in milliseconds. */
  readonly roundTripsMs: readonly number[];
  /** Undefined if the answers have no date, or if no single offset explains their dates. */
  readonly offset: OffsetBound | undefined;
}

/**
 * Makes several Hello calls in a row on one warm connection. Hello is the cheapest call. Rejects with a ServiceError.
 */
export async function sayHello(target: GrpcTarget, count: number): Promise<Greetings> {
  const client = new Client(target.address, target.credentials, target.options);
  try {
    // The first call pays for the connection and the token.
    await greeting(client, target);
    const calls: Greeting[] = [];
    for (let n = 0; n < count; n += 1) calls.push(await greeting(client, target));

    return { roundTripsMs: calls.map(({ roundTripMs }) => roundTripMs), offset: offsetOf(calls) };
  } finally {
    client.close();
  }
}

interface Greeting {
  readonly sentMs: number;
  readonly answeredMs: number;
  readonly roundTripMs: number;
  /** The `date` of the answer: the server's clock during the call, truncated to the second. */
  readonly dateMs: number | undefined;
}

/**
 * A date says that the server's clock was within one second of it, at some time between sent and answered. All dates
 * together narrow the offset.
 */
export function offsetOf(calls: readonly Omit<Greeting, "roundTripMs">[]): OffsetBound | undefined {
  let atLeastMs = -Infinity;
  let atMostMs = Infinity;
  for (const { sentMs, answeredMs, dateMs } of calls) {
    if (dateMs === undefined) return undefined;

    atLeastMs = Math.max(atLeastMs, dateMs - answeredMs);
    atMostMs = Math.min(atMostMs, dateMs + 1_000 - sentMs);
  }
  return calls.length > 0 && atLeastMs <= atMostMs ? { atLeastMs, atMostMs } : undefined;
}

async function greeting(client: Client, target: GrpcTarget): Promise<Greeting> {
  const sentMs = Date.now();
  const startedMs = performance.now();
  const headers = await hello(client, target);
  const dateMs = Date.parse(String(headers?.get("date")[0]));
  return {
    sentMs,
    answeredMs: Date.now(),
    roundTripMs: performance.now() - startedMs,
    dateMs: Number.isNaN(dateMs) ? undefined : dateMs,
  };
}
