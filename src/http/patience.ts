import { HttpError } from "./http-error.js";

/** How long a request waits for a sign of the backend. The connection of a client should outlast it. */
const PATIENCE_MS = 10_000;

/** Aborts after the backend has sent nothing for a while, so that no request waits for ever. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(ms = PATIENCE_MS) {
    this.#timer = setTimeout(() => {
      const hint = "Try again later; /readyz shows when it is back.";
      const problem = `The backend has not answered for ${ms / 1000} s.`;
      this.#controller.abort(new HttpError(503, problem, { code: "backend-timeout", hint }));
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The backend was asked, or sent something: the time starts anew. */
  progressed(): void {
    this.#timer.refresh();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}

/** Settles as `work` does, but rejects with the signal's reason as soon as it aborts. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
