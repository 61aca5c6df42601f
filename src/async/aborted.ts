/** Resolves when the signal has aborted. After `over` aborts, it no longer listens, and never resolves. */
export function aborted(signal: AbortSignal, over?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true, ...(over && { signal: over }) });
  });
}
