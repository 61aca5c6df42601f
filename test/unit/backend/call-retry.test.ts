import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isServiceError, withRetry, type Retry } from "../../../src/backend/call-retry.js";
import { FanoutError } from "../../../src/errors.js";

function serviceError(code: status): ServiceError {
  return Object.assign(new Error("failed"), { code, details: `details of ${code}`, metadata: new Metadata() });
}

const AWAY = serviceError(status.UNAVAILABLE);
const OTHER = new TypeError("a defect");

/** Stands for the words that a person gets. */
function explain(error: ServiceError, attempts: number): FanoutError {
  return new FanoutError("backend-unreachable", `${error.details}, ${attempts} in a row`, { cause: error });
}

/** Makes a call whose attempts end in turn as given, and tells all that happened. */
async function retried(
  outcomes: readonly unknown[],
  { maxAttempts = 4, signal, takesMs = 0 }: { maxAttempts?: number; signal?: AbortSignal; takesMs?: number } = {},
): Promise<{ outcome: unknown; attempts: number; failures: number[]; recoveries: number }> {
  let attempts = 0;
  const failures: number[] = [];
  let recoveries = 0;
  const policy: Retry = {
    maxAttempts,
    signal,
    explain,
    onFailure: ({ code }) => failures.push(code),
    recover: () => {
      recoveries += 1;
      return Promise.resolve();
    },
  };
  const attempt = async (): Promise<unknown> => {
    const outcome = outcomes[attempts];
    attempts += 1;
    vi.advanceTimersByTime(takesMs);
    if (outcome instanceof Error) throw outcome;

    return outcome;
  };
  const outcome: unknown = await withRetry(attempt, policy).catch((error: unknown) => error);
  return { outcome, attempts, failures, recoveries };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] });
});

afterEach(() => {
  vi.useRealTimers();
});

describe("a call", () => {
  test.each<[string, unknown[], unknown, number[], number]>([
    ["that succeeds is made once", ["done"], "done", [], 0],
    ["that finds the backend away is made again", [AWAY, AWAY, "done"], "done", [14, 14], 2],
    ["that is refused is not", [serviceError(status.NOT_FOUND)], { cause: { code: 5 } }, [5], 0],
    [
      "that is refused behind a retry is not",
      [AWAY, serviceError(status.ALREADY_EXISTS)],
      { cause: { code: 6 } },
      [14, 6],
      1,
    ],
    ["that fails for another reason is not, and is no failed attempt", [OTHER], OTHER, [], 0],
  ])("%s", async (_, outcomes, expected, failures, recoveries) => {
    const seen = await retried(outcomes);
    if (typeof expected === "object" && !(expected instanceof Error))
      expect(seen.outcome).toMatchObject(expected as object);
    else expect(seen.outcome).toBe(expected);

    expect(seen).toMatchObject({ failures, recoveries });
    expect(seen.attempts).toBe(outcomes.length);
  });

  test("is given up after the most attempts, and says how many found it away", async () => {
    const { outcome, attempts, recoveries } = await retried([AWAY, AWAY, AWAY, AWAY, "too late"]);
    expect(outcome).toBeInstanceOf(FanoutError);
    expect(outcome).toMatchObject({ exitCode: 1, cause: AWAY });
    expect((outcome as Error).message).toBe("details of 14, 4 in a row");
    expect([attempts, recoveries]).toEqual([4, 3]);
  });

  test("that had found the backend for a while counts its absences anew", async () => {
    const outcomes = [...Array.from({ length: 20 }, () => AWAY), "done"];
    expect(await retried(outcomes, { takesMs: 1_001 })).toMatchObject({ outcome: "done", recoveries: 20 });
    expect((await retried(outcomes, { takesMs: 1_000 })).attempts).toBe(4);
  });

  test("that was aborted before is not made, and rejects with the reason", async () => {
    const reason = new Error("enough");
    const seen = await retried(["done"], { signal: AbortSignal.abort(reason) });
    expect(seen).toMatchObject({ outcome: reason, attempts: 0 });
  });

  test("that is aborted while it is under way rejects with the reason, and counts no failure", async () => {
    const abort = new AbortController();
    const reason = new Error("enough");
    const failures: number[] = [];
    const call = withRetry(
      async () => {
        abort.abort(reason);
        throw serviceError(status.CANCELLED);
      },
      {
        maxAttempts: 4,
        signal: abort.signal,
        explain,
        onFailure: ({ code }) => failures.push(code),
        recover: async () => {},
      },
    );
    await expect(call).rejects.toBe(reason);
    expect(failures).toEqual([]);
  });

  test("that is aborted while the backend recovers is not made again", async () => {
    const abort = new AbortController();
    let attempts = 0;
    const call = withRetry(
      async () => {
        attempts += 1;
        throw AWAY;
      },
      {
        maxAttempts: 4,
        signal: abort.signal,
        explain,
        onFailure: () => {},
        recover: async () => {
          abort.abort();
        },
      },
    );
    await expect(call).rejects.toMatchObject({ name: "AbortError" });
    expect(attempts).toBe(1);
  });

  test("whose backend cannot be recovered rejects with that", async () => {
    const gone = new FanoutError("emulator-not-started", "It does not start.");
    const recover = (): Promise<void> => Promise.reject(gone);
    const call = withRetry(() => Promise.reject(AWAY), { maxAttempts: 4, explain, onFailure: () => {}, recover });
    await expect(call).rejects.toBe(gone);
  });
});

test.each<[string, unknown, boolean]>([
  ["a ServiceError", AWAY, true],
  ["an error of the system", Object.assign(new Error("x"), { code: "ENOENT", details: "" }), false],
  ["any other error", OTHER, false],
  ["something that is no error", { code: 14, details: "" }, false],
  ["nothing", undefined, false],
])("%s is not confused with an answer of gRPC", (_, value, expected) => {
  expect(isServiceError(value)).toBe(expected);
});
