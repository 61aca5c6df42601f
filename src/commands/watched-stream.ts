import type { OutputStream } from "../report/output-stream.js";

/** The stream, with whether anything was written to it by way of this one. */
export function watched(stream: OutputStream): { readonly stream: OutputStream; readonly isUsed: () => boolean } {
  let isUsed = false;
  const through = stream.write.bind(stream) as (...written: unknown[]) => boolean;
  const write = (...written: unknown[]): boolean => {
    isUsed = true;
    return through(...written);
  };
  const proxy = new Proxy(stream, {
    get: (target, name) => {
      if (name === "write") return write;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  return { stream: proxy, isUsed: () => isUsed };
}
