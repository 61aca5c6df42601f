import { Client } from "@grpc/grpc-js";
import type { GrpcTarget } from "../backend/grpc-target.js";
import { hello } from "../backend/greeting.js";

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
