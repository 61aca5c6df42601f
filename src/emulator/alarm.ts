/** The longest delay that setTimeout keeps: a longer one would fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

/** Calls back once the delay is over, however long; returns what cancels it. */
export function setAlarm(delayMs: number, callback: () => void): () => void {
  let timeout: NodeJS.Timeout;
  const arm = (leftMs: number): void => {
    timeout = setTimeout(
      () => {
        if (leftMs > MAX_TIMEOUT_MS) {
          arm(leftMs - MAX_TIMEOUT_MS);
        } else {
          callback();
        }
      },
      Math.min(Math.max(0, Math.ceil(leftMs)), MAX_TIMEOUT_MS),
    );
  };
  arm(delayMs);
  return () => {
    clearTimeout(timeout);
  };
}
