import { createHash, randomBytes } from "node:crypto";

export const SESSION_SECONDS = 12 * 3_600;
/** Only who has the key makes one. The oldest goes. */
const MOST_SESSIONS = 1_000;

/** Who has shown the key, until the session expires. They are in memory: a server that starts again knows none. */
export class Sessions {
  /** Expiry by digest of the token, the oldest first. Whoever reads the memory finds no token. */
  readonly #expiryMs = new Map<string, number>();

  constructor(
    /** Not the time of day, which may be set back. */
    readonly nowMs: () => number = () => performance.now(),
    readonly most = MOST_SESSIONS,
  ) {}

  /** The token of a new session. */
  open(): string {
    const token = randomBytes(32).toString("base64url");
    const now = this.nowMs();
    for (const [digest, expiryMs] of this.#expiryMs) {
      if (expiryMs > now && this.#expiryMs.size < this.most) break;
      this.#expiryMs.delete(digest);
    }
    this.#expiryMs.set(digestOf(token), now + SESSION_SECONDS * 1_000);
    return token;
  }

  has(token: string): boolean {
    return (this.#expiryMs.get(digestOf(token)) ?? 0) > this.nowMs();
  }

  close(token: string): void {
    this.#expiryMs.delete(digestOf(token));
  }
}

function digestOf(token: string): string {
  return createHash("sha256").update(token).digest("base64url");
}
