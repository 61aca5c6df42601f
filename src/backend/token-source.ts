/** A token of `@azure/identity`. */
export interface Token {
  readonly token: string;
  readonly expiresOnTimestamp: number;
}

const REFRESH_AHEAD_MS = 5 * 60_000;
/** The pause between two refreshes while the current token is still valid, whether they succeed or not. */
const REFRESH_PAUSE_MS = 30_000;

/**
 * The token of one credential, for any number of callers. It is fetched at the first call, and again five minutes
 * before it expires, with one fetch at a time. While the old token is valid, nobody waits for the new one, and a failed
 * fetch is not reported.
 */
export class TokenSource {
  readonly #fetch: () => Promise<Token>;
  readonly #now: () => number;
  #token: Token | undefined;
  #refresh: Promise<Token> | undefined;
  /** A credential may return the same token until it expires, so it is not asked with each call. */
  #noRefreshBeforeMs = 0;

  /** `now` returns milliseconds since the epoch. */
  constructor(fetch: () => Promise<Token>, now: () => number) {
    this.#fetch = fetch;
    this.#now = now;
  }

  /** Rejects with the error of the fetch if there is no valid token. */
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
