import { createHash, randomBytes } from "node:crypto";

export const SESSION_SECONDS = 12 * 3_600;
/** Only who has the key makes one. The oldest goes. */
const MOST_SESSIONS = 1_000;

/** A session that was open when somebody asked. */
export interface Session {
  /** Aborts when it is closed before it expires. */
  readonly closed: AbortSignal;
  readonly isOpen: boolean;
}

class KnownSession implements Session {
  readonly #closing = new AbortController();

  constructor(
    readonly expiryMs: number,
    readonly nowMs: () => number,
  ) {}

  get closed(): AbortSignal {
    return this.#closing.signal;
  }

  get isOpen(): boolean {
    return !this.closed.aborted && this.expiryMs > this.nowMs();
  }

  close(): void {
    this.#closing.abort();
  }
}

/** Who has shown the key, until the session expires. They are in memory: a server that starts again knows none. */
export class Sessions {
  /** By digest of the token, the oldest first. Whoever reads the memory finds no token. */
  readonly #known = new Map<string, KnownSession>();

  constructor(
    /** Not the time of day, which may be set back. */
    readonly nowMs: () => number = () => performance.now(),
    readonly most = MOST_SESSIONS,
  ) {}

  /** The token of a new session. */
  open(): string {
    const token = randomBytes(32).toString("base64url");
    for (const [digest, session] of this.#known) {
      if (session.isOpen && this.#known.size < this.most) break;
      this.#close(digest);
    }
    this.#known.set(digestOf(token), new KnownSession(this.nowMs() + SESSION_SECONDS * 1_000, this.nowMs));
    return token;
  }

  /** Undefined if there is none that is open. */
  find(token: string): Session | undefined {
    const session = this.#known.get(digestOf(token));
    return session?.isOpen === true ? session : undefined;
  }

  close(token: string): void {
    this.#close(digestOf(token));
  }

  #close(digest: string): void {
    this.#known.get(digest)?.close();
    this.#known.delete(digest);
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
