/** An answer of the server's own API. */
export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** What a refused request says. */
export interface Problem {
  readonly detail: string;
  readonly hint?: string;
  readonly field?: string;
  readonly errors?: readonly PlanError[];
}

export interface PlanError {
  /** The key of the plan that is wrong, or a part of its value, such as `orchestrations.0.weight`. */
  readonly field?: string;
  readonly detail: string;
}

/** Asks the server. When the session has ended, the browser goes to the login, and the promise stays open. */
export async function ask<T>(path: string, init: RequestInit = {}): Promise<Answer<T>> {
  const response = await fetch(path, { cache: "no-store", ...init });
  if (response.status === 401) {
    logInAgain();
    return new Promise(() => {});
  }
  return { status: response.status, body: (await response.json()) as T };
}

/** The browser goes to the login if the session has ended. */
export async function checkSession(): Promise<void> {
  const status = await fetch("/api/v1/session", { cache: "no-store" }).then(
    (response) => response.status,
    () => undefined,
  );
  if (status === 401) logInAgain();
}

function logInAgain(): void {
  const { pathname, search, hash } = location;
  location.assign(`/login?next=${encodeURIComponent(pathname + search)}${hash}`);
}

export function post<T>(
  path: string,
  body: unknown,
  {
    headers = {},
    ...init
  }: Omit<RequestInit, "headers"> & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Answer<T>> {
  const all = { "content-type": "application/json", ...headers };
  return ask<T>(path, { ...init, method: "POST", body: JSON.stringify(body), headers: all });
}

/** The text of a problem, for people. */
export function problemText({ detail, hint }: Problem): string {
  return hint === undefined ? detail : `${detail}${/[.!?]$/u.test(detail) ? " " : "; "}${hint}`;
}
