import { describe, expect, test } from "vitest";
import { TokenSource, type Token } from "../../../src/backend/token-source.js";

const MINUTE_MS = 60_000;

/** A credential that counts, hands out tokens of an hour, and answers when it is told to. */
class CountingCredential {
  nowMs = 1_000_000;
  fetches = 0;
  readonly source = new TokenSource(
    () => this.#fetch(),
    () => this.nowMs,
  );
  #pending = Promise.withResolvers<Token>();

  answer(): void {
    this.#pending.resolve({ token: `token-${this.fetches}`, expiresOnTimestamp: this.nowMs + 60 * MINUTE_MS });
    this.#pending = Promise.withResolvers();
  }

  fail(reason: string): void {
    this.#pending.reject(new Error(reason));
    this.#pending = Promise.withResolvers();
  }

  async first(): Promise<void> {
    const token = this.source.token();
    this.answer();
    await token;
  }

  async now(): Promise<string> {
    return (await this.source.token()).token;
  }

  #fetch(): Promise<Token> {
    this.fetches += 1;
    return this.#pending.promise;
  }
}

/** Lets what is settled be noticed. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a token", () => {
  test("is not asked for before it is needed", () => {
    expect(new CountingCredential().fetches).toBe(0);
  });

  test("is fetched once for 1,000 callers that need the first", async () => {
    const credential = new CountingCredential();
    const callers = Array.from({ length: 1_000 }, () => credential.now());
    credential.answer();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["token-1"]));
    expect(credential.fetches).toBe(1);
  });

  test("serves all calls until five minutes before it expires", async () => {
    const credential = new CountingCredential();
    await credential.first();
    credential.nowMs += 55 * MINUTE_MS - 1;
    expect(await credential.now()).toBe("token-1");
    expect(credential.fetches).toBe(1);
  });

  test("is fetched anew, once, while 1,000 callers go on with the old one", async () => {
    const credential = new CountingCredential();
    await credential.first();
    credential.nowMs += 55 * MINUTE_MS;
    const callers = await Promise.all(Array.from({ length: 1_000 }, () => credential.now()));
    expect(new Set(callers)).toEqual(new Set(["token-1"]));
    expect(credential.fetches).toBe(2);
    credential.answer();
    await turn();
    expect(await credential.now()).toBe("token-2");
    expect(credential.fetches).toBe(2);
  });

  test("stays in use while a fetch fails, and the fetch is repeated after a pause", async () => {
    const credential = new CountingCredential();
    await credential.first();
    credential.nowMs += 56 * MINUTE_MS;
    await credential.now();
    credential.fail("no network");
    await turn();
    expect(await credential.now()).toBe("token-1");
    expect(credential.fetches).toBe(2);
    credential.nowMs += MINUTE_MS / 2;
    expect(await credential.now()).toBe("token-1");
    expect(credential.fetches).toBe(3);
    credential.answer();
    await turn();
    expect(await credential.now()).toBe("token-3");
  });

  test("that has expired is not used: who asks waits for the next", async () => {
    const credential = new CountingCredential();
    await credential.first();
    credential.nowMs += 60 * MINUTE_MS;
    const callers = Array.from({ length: 10 }, () => credential.now());
    credential.answer();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["token-2"]));
  });

  test("that cannot be had fails every caller that waits, and is asked for again by the next", async () => {
    const credential = new CountingCredential();
    const callers = Array.from({ length: 10 }, () => credential.now().catch((error: Error) => error.message));
    credential.fail("signed out");
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["signed out"]));
    expect(credential.fetches).toBe(1);
    const next = credential.now();
    credential.answer();
    expect(await next).toBe("token-2");
  });
});
