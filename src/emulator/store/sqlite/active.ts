import { METADATA, instanceRow } from "./read.js";
import type { Row, Statements } from "./statements.js";
import type { ActiveInstance, InstanceRow, WaitingEvent } from "../store.js";

const IN_FLIGHT = "FROM instances AS i INDEXED BY instances_in_flight";
const IN_ORDER = "WHERE i.completed_us = 0 ORDER BY i.task_hub, i.instance_id";
const NO_EVENTS: readonly WaitingEvent[] = [];

/**
 * What is in flight, hub by hub, with its events: three reads in the same order that go side by side, since one for each
 * of a hundred thousand instances takes several times as long.
 */
export function* readActive(statements: Statements): Generator<ActiveInstance> {
  const history = eventsByKey(
    statements,
    `SELECT i.key, seq, events AS event ${IN_FLIGHT} CROSS JOIN history USING (key) ${IN_ORDER}, seq`,
  );
  const waiting = eventsByKey(
    statements,
    `SELECT i.key, seq, event ${IN_FLIGHT} CROSS JOIN waiting USING (key) ${IN_ORDER}, seq`,
  );
  for (const row of statements.iterate(`SELECT ${METADATA} ${IN_FLIGHT} ${IN_ORDER}`)) {
    const instance = instanceRow(row);
    yield active(instance, history(instance.key), waiting(instance.key));
  }
}

/** One instance with its events. */
export function readActiveOne(statements: Statements, key: number): ActiveInstance {
  const [row] = statements.all(`SELECT ${METADATA} FROM instances WHERE key = ?`, key);
  const history = statements.all("SELECT seq, events AS event FROM history WHERE key = ? ORDER BY seq", key);
  const waiting = statements.all("SELECT seq, event FROM waiting WHERE key = ? ORDER BY seq", key);
  return active(instanceRow(row!), history.map(eventOf), waiting.map(eventOf));
}

function active(row: InstanceRow, chunks: readonly WaitingEvent[], waiting: readonly WaitingEvent[]): ActiveInstance {
  return { row, history: joined(chunks), nextHistorySeq: (chunks.at(-1)?.seq ?? -1) + 1, waiting };
}

function eventOf(row: Row): WaitingEvent {
  return { seq: Number(row["seq"]), event: row["event"] as Uint8Array };
}

/** Hands out the events of an ordered read key by key: the caller asks for keys in the order of the read. */
function eventsByKey(statements: Statements, sql: string): (key: number) => readonly WaitingEvent[] {
  const rows = statements.iterate(sql);
  let ahead = rows.next();
  return (key) => {
    if (ahead.done === true || ahead.value["key"] !== key) return NO_EVENTS;

    const events: WaitingEvent[] = [];
    for (; ahead.done !== true && ahead.value["key"] === key; ahead = rows.next()) events.push(eventOf(ahead.value));

    return events;
  };
}

/** One chunk is taken as it is: most of what is in flight has no more. */
function joined(chunks: readonly WaitingEvent[]): Uint8Array {
  return chunks.length === 1 ? chunks[0]!.event : Buffer.concat(chunks.map(({ event }) => event));
}
