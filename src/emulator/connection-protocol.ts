import type { Socket } from "node:net";
import { GREETING_PATIENCE_MS } from "./limits.js";
import { LINK_PREFACE } from "./link-protocol.js";

/** What is spoken on a connection. */
export type Protocol = "grpc" | "link";

/** How connections of each begin. */
const PREFACES: Readonly<Record<Protocol, Buffer>> = {
  // https://www.rfc-editor.org/rfc/rfc9113#section-3.4
  grpc: Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  link: LINK_PREFACE,
};

/**
 * Tells, once enough has arrived, which of the protocols a connection begins with; all of it stays to be read. One that
 * begins with none of them is closed, and so is one whose greeting is not complete in time, which whoever serves it tells
 * by `onGreeted`: nobody pings it yet, and it would take the place of another.
 */
export function awaitGreeting(
  socket: Socket,
  protocols: readonly Protocol[],
  serve: (protocol: Protocol, onGreeted: () => void) => void,
): void {
  const onGreeted = closeUnlessGreeted(socket);
  let arrived = Buffer.alloc(0);
  const look = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) {
      // It has ended, in the midst of its greeting.
      socket.destroy();
      return;
    }
    arrived = Buffer.concat([arrived, chunk]);
    const possible = protocols.filter((protocol) => beginsAlike(arrived, PREFACES[protocol]));
    const [protocol] = possible;
    if (protocol === undefined) {
      socket.destroy();
    } else if (arrived.length >= PREFACES[protocol].length) {
      socket.off("readable", look);
      socket.unshift(arrived);
      serve(protocol, onGreeted);
    }
  };
  socket.on("readable", look);
}

/** Returns what takes it back. */
function closeUnlessGreeted(socket: Socket): () => void {
  const patience = setTimeout(() => {
    // An emulator that has been stopped itself looks at what has arrived before it blames the other end.
    closing = setImmediate(() => socket.destroy());
  }, GREETING_PATIENCE_MS).unref();
  let closing: NodeJS.Immediate | undefined;
  const onGreeted = (): void => {
    clearTimeout(patience);
    clearImmediate(closing);
  };
  socket.once("close", onGreeted);
  return onGreeted;
}

function beginsAlike(some: Buffer, others: Buffer): boolean {
  const length = Math.min(some.length, others.length);
  return some.subarray(0, length).equals(others.subarray(0, length));
}
