/**
 * What is to happen when a signal aborts, for signals that outlive many calls. `addEventListener` would do, were it not
 * for the garbage collector: listeners are linked to one another, so that each one that has been removed keeps its
 * successors from being collected while they are young, and with them the calls that they are of.
 */
const callbacksOf = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls back when the signal aborts, at once if it has; not after `dropAbort`. */
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
