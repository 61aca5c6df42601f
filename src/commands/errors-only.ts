import { Writable } from "node:stream";

/** Lets errors through and nothing else. Not a terminal: there is nobody to show progress to. */
export function errorsOnly(stream: Writable): Writable {
  return new Writable({
    decodeStrings: false,
    write(text: string, _encoding, done) {
      if (text.startsWith("error: ")) stream.write(text);
      done();
    },
  });
}
