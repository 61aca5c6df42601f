/** Puts another method in the place of one, which it may call. */
export function wrap<T, K extends keyof T>(prototype: T, name: K, around: (method: T[K]) => T[K]): void {
  prototype[name] = around(prototype[name]);
}
