import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import type { Socket } from "node:net";
import type { SteadyTime } from "../clock/system-time.js";
import { GREETING_PATIENCE_MS } from "../limits/limits.js";
import { LINK_PREFACE } from "../../protocol/link.js";

/** What is spoken on a connection. */
export type Protocol = "grpc" | "link" | "http1";

/** Whether what has arrived so far begins a protocol; "maybe" until more of it has. */
type Verdict = "yes" | "no" | "maybe";

/** https://www.rfc-editor.org/rfc/rfc9113#section-3.4 */
const HTTP2_PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** A method, of which the longest that is registered has 17 letters, and what follows it. */
const HTTP1_METHOD = /^[A-Z][A-Z-]{0,19}(?<end> |$)/u;
const METHOD_BYTES = 21;

const RECOGNIZE: Readonly<Record<Protocol, (arrived: Buffer) => Verdict>> = {
  grpc: (arrived) => beginsWith(arrived, HTTP2_PREFACE),
  link: (arrived) => beginsWith(arrived, LINK_PREFACE),
  http1: (arrived) => {
    const method = HTTP1_METHOD.exec(arrived.subarray(0, METHOD_BYTES).toString("latin1"));
    return method === null ? "no" : method.groups!["end"] === " " ? "yes" : "maybe";
  },
};

/**
 * Tells, once enough has arrived, which of the protocols a connection begins with; all of it stays to be read. One that
 * begins with none of them is closed, and so is one whose greeting is not complete in time, which whoever serves it tells
 * by `onGreeted`: nobody pings it yet, and it would take the place of another.
 */
export function awaitGreeting(
  socket: Socket,
  protocols: readonly Protocol[],
  clock: SteadyTime,
  serve: (protocol: Protocol, onGreeted: () => void) => void,
): void {
  const onGreeted = closeUnlessGreeted(socket, clock);
  let arrived = EMPTY_BYTES;
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      // It has ended, in the midst of its greeting.
      socket.destroy();
      return;
    }
    arrived = Buffer.concat([arrived, chunk]);
    // Two may begin alike: the first of them has to be out of the question before it can be the second.
    const candidate = protocols.find((protocol) => RECOGNIZE[protocol](arrived) !== "no");
    if (candidate === undefined) {
      socket.destroy();
    } else if (RECOGNIZE[candidate](arrived) === "yes") {
      socket.off("readable", look);
      socket.unshift(arrived);
      serve(candidate, onGreeted);
    }
  };
  socket.on("readable", look);
}

/** Returns what takes it back. */
function closeUnlessGreeted(socket: Socket, clock: SteadyTime): () => void {
  const stopWaiting = clock.after(GREETING_PATIENCE_MS, () => {
    // An emulator that has been stopped itself looks at what has arrived before it blames the other end.
    closing = setImmediate(() => socket.destroy());
  });
  let closing: NodeJS.Immediate | undefined;
  const onGreeted = (): void => {
    stopWaiting();
    clearImmediate(closing);
  };
  socket.once("close", onGreeted);
  return onGreeted;
}

function beginsWith(arrived: Buffer, preface: Buffer): Verdict {
  const length = Math.min(arrived.length, preface.length);
  if (!arrived.subarray(0, length).equals(preface.subarray(0, length))) return "no";

  return length === preface.length ? "yes" : "maybe";
}
