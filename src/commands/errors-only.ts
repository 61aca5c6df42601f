import { Writable } from "node:stream";

/** Passes only errors on. It is not a terminal, so that no progress is shown. */
export function errorsOnly(stream: Writable): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      if (text.startsWith("error: ")) stream.write(text);
      done();
    },
  });
}
