import { RpcError } from "../../protocol/rpc-error.js";

/**
 * What the emulator holds at most, each well above what honest programs do: a limit is there so that a program gone wrong
 * is told so, and takes neither the memory nor the calls of the others.
 */

const MIB = 1_048_576;

/**
 * One message that is received. Servers of gRPC take 4 MiB by default; a fan-in of 10,000 results of 4 KiB that comes back
 * as an output has ten times as much. It is held whole, more than once.
 */
export const MOST_MESSAGE_BYTES = 64 * MIB;

/**
 * What is held for the calls of all connections together: requests that are not complete or not answered, answers that
 * were not read, and `CALL_BYTES` for each call. A worker that sends 10,000 results of 50 KiB at once has 580 MiB under way.
 */
export const MOST_HELD_BYTES = 768 * MIB;

/** What of it the ports may not take, so that whoever fills them does not shut the owner's socket out. */
export const OWNERS_BYTES = 128 * MIB;

/** What calls may hold beyond it that are told that they are refused: 8,000 of them. A connection with more is closed. */
export const REFUSED_BYTES = 64 * MIB;

/**
 * What a connection may leave unread of its streams whatever others hold, with one message more: whoever reads them has
 * no part in what others leave. A stream has more than its buffer of 16 KiB only while it is blocked.
 */
export const FAIR_UNREAD_BYTES = 256 * 1_024;

/** How long a request that is not complete may make no progress, milliseconds. */
export const REQUEST_PATIENCE_MS = 60_000;

/** What a call costs as long as its stream is open: 5.5 KiB when it has begun, 7 KiB when its answer waits to be read. */
export const CALL_BYTES = 8 * 1_024;

/** Requests and answers up to here are part of that. */
export const SMALL_BYTES = 2 * 1_024;

/**
 * Calls of one connection at a time. It is not told to clients as SETTINGS_MAX_CONCURRENT_STREAMS: they would hold back
 * what is beyond it, where nobody sees it wait, and a call that waits for an instance may take as long as it likes. A
 * worker completes 10,000 work items at a time, a client waits for as many instances.
 */
export const MOST_CALLS = 20_000;

/**
 * The headers of a call, its metadata among them; common servers take 8 KiB. A call with more is refused with
 * ENHANCE_YOUR_CALM, which gRPC reads as RESOURCE_EXHAUSTED. Twice as much cannot be told from an attack, and nghttp2
 * closes the connection.
 */
export const MOST_HEADER_BYTES = 64 * 1_024;

/** Connections of one listener at a time. A run has a few dozen, and each of its workers two. */
export const MOST_CONNECTIONS = 1_000;

/**
 * How long a connection may take to say what it speaks, milliseconds: the preface of HTTP/2 and its first SETTINGS, or the
 * greeting of a link. Programs send it in their first packet. Nobody pings a connection before that.
 */
export const GREETING_PATIENCE_MS = 5_000;

/**
 * Connections of a port at a time. Whoever reaches it may open as many as there are, so that half of the files that this
 * process may open, of which a connection takes one, are left for the owner's socket and the database.
 */
export function mostPortConnections(): number {
  return Math.min(MOST_CONNECTIONS, Math.floor(mostOpenFiles() / 4));
}

/** The limit of this process; Infinity where there is none, or none is told. */
function mostOpenFiles(): number {
  // A report on the network would ask for the names of the addresses in it.
  Object.assign(process.report, { excludeNetwork: true });
  const { userLimits } = process.report.getReport() as { userLimits?: { open_files?: { soft: number | string } } };
  return Number(userLimits?.open_files?.soft) || Infinity;
}

/** Events that clients have raised for an instance, and no episode has taken: each costs the next work item its bytes. */
export const MOST_RAISED_EVENTS = 10_000;

/**
 * Events that wait for the workers of all instances, inputs of starts among them, and 256 bytes for each. Clients are
 * refused beyond it. What orchestrators and activities send is not, since it cannot be taken back.
 */
export const MOST_WAITING_BYTES = 512 * MIB;

/** Names as UTF-8: each is part of every work item of its instance. */
const MOST_NAME_BYTES = 1_024;

/** Characters of an instance's id, as a Scheduler has it. */
const MOST_ID_CHARACTERS = 100;

/**
 * Bytes of an input, an output, an event or a custom status, of each, as UTF-8. A Scheduler takes "1 MB". Whether that is
 * 1,000,000 or 1,048,576 is not published: what passes here passes there either way.
 */
export const MOST_PAYLOAD_BYTES = 1_000_000;

/** What is wrong with the id of an instance. */
export interface IdFault {
  readonly text: string;
  /** A Scheduler does not take it; the emulator could. */
  readonly isScheduler: boolean;
}

/** Undefined for an id that every backend takes: up to 100 ASCII characters, the first of them no "@". */
export function instanceIdFault(instanceId: string): IdFault | undefined {
  const { length } = instanceId;
  if (length > MOST_ID_CHARACTERS) {
    const text = `The instance id has ${length} characters: the limit is ${MOST_ID_CHARACTERS}.`;
    return { text, isScheduler: false };
  }
  if (instanceId.startsWith("@"))
    return { text: `The instance id '${instanceId}' begins with "@", which is for entities`, isScheduler: true };

  // oxlint-disable-next-line no-control-regex -- ASCII begins with them
  return /^[\0-\x7f]*$/u.test(instanceId)
    ? undefined
    : { text: `The instance id '${instanceId}' has characters other than ASCII`, isScheduler: true };
}

/** @throws RpcError if a name is longer than any is; `what` says whose it is */
export function checkName(what: string, text: string): void {
  const bytes = Buffer.byteLength(text);
  if (bytes > MOST_NAME_BYTES)
    throw new RpcError("INVALID_ARGUMENT", `${what} has ${bytes} bytes: the limit is ${MOST_NAME_BYTES}.`);
}

/** @throws RpcError if there is no room for that much more of what waits */
export function checkWaiting(heldBytes: number, bytes: number): void {
  if (heldBytes + bytes > MOST_WAITING_BYTES) {
    throw new RpcError(
      "RESOURCE_EXHAUSTED",
      `The events that no worker has taken hold ${heldBytes} bytes, and this is ${bytes} more: the limit of the emulator is ` +
        `${MOST_WAITING_BYTES}. Start workers that take them, or end instances with \`fanout terminate\`.`,
    );
  }
}

/** @throws RpcError if a connection that has so many calls may begin no other */
export function checkCalls(underWay: number): void {
  if (underWay >= MOST_CALLS) {
    throw new RpcError(
      "RESOURCE_EXHAUSTED",
      `The connection has ${MOST_CALLS} calls under way, the limit of the emulator: end some, or open another one.`,
    );
  }
}

export function messageTooLarge(bytes: number): RpcError {
  return new RpcError(
    "RESOURCE_EXHAUSTED",
    `The request is a message of ${bytes} bytes: the limit of the emulator is ${MOST_MESSAGE_BYTES}.`,
  );
}
