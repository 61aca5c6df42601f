import type { Http2Session } from "node:http2";

const PAYLOAD = Buffer.alloc(8);

/**
 * Asks the other end for a sign of life, and calls back when it has come, or with the reason why it will not.
 * A session that has had a GOAWAY, or was closed, still carries its calls, but node:http2 sends no pings on it: it is
 * asked with SETTINGS that change nothing, which every peer acknowledges as well.
 */
export function probe(session: Http2Session, done: (error: Error | null) => void): void {
  if (session.closed) session.settings({}, done);
  else session.ping(PAYLOAD, done);
}
