/**
 * Callbacks for signals that outlive many calls. `addEventListener` would keep garbage alive: listeners are linked to
 * one another, so a removed listener keeps its successors, and their calls, out of the young collections.
 */
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts, or at once if it has aborted. `dropAbort` takes the callback away. */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) {
    callback();
    return;
  }
  const known = callbacksOf.get(signal);
  if (known) {
    known.add(callback);
    return;
  }
  const callbacks = new Set([callback]);
  callbacksOf.set(signal, callbacks);
  signal.addEventListener("abort", () => callbacks.forEach((each) => each()), { once: true });
}

export function dropAbort(signal: AbortSignal, callback: () => void): void {
  callbacksOf.get(signal)?.delete(callback);
}
