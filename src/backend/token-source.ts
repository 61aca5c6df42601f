/** A token as `@azure/identity` hands it out. */
export interface Token {
  readonly token: string;
  readonly expiresOnTimestamp: number;
}

const REFRESH_AHEAD_MS = 5 * 60_000;
/** While the token at hand is still good: between one refresh and the next, however it ended. */
const REFRESH_PAUSE_MS = 30_000;

/**
 * One credential's token, for however many callers. It is fetched when first asked for, and again five minutes before
 * it expires; one fetch is under way at a time. While the old token is still good nobody waits for the new one, and a
 * fetch that fails is not told: the old one goes on until it expires.
 */
export class TokenSource {
  readonly #fetch: () => Promise<Token>;
  readonly #now: () => number;
  #token: Token | undefined;
  #refresh: Promise<Token> | undefined;
  /** A credential may hand out the same token until it expires, and is not asked for it with each call. */
  #noRefreshBeforeMs = 0;

  /** `now` tells milliseconds since the epoch. */
  constructor(fetch: () => Promise<Token>, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Rejects with what the fetch rejected with, if there is no good token. */
  async token(): Promise<Token> {
    const nowMs = this.#now();
    const token = this.#token;
    if (token === undefined || nowMs >= token.expiresOnTimestamp) return (this.#refresh ??= this.#startRefresh());

    if (nowMs >= token.expiresOnTimestamp - REFRESH_AHEAD_MS && nowMs >= this.#noRefreshBeforeMs) {
      this.#refresh ??= this.#startRefresh();
      this.#refresh.catch(() => {});
    }
    return token;
  }

  async #startRefresh(): Promise<Token> {
    try {
      this.#token = await this.#fetch();
      return this.#token;
    } finally {
      this.#noRefreshBeforeMs = this.#now() + REFRESH_PAUSE_MS;
      this.#refresh = undefined;
    }
  }
}
