// Prints which room imports which, as the code is: `npm run rooms`, or `npm run rooms -- --mermaid`.
import { registerHooks } from "node:module";

// The sources name each other as they are named when built.
registerHooks({
  resolve: (specifier, context, next) => next(specifier.replace(/^(\.{1,2}\/.*)\.js$/u, "$1.ts"), context),
});
const { asMermaid, asText, pictureOf } = await import("./rooms-picture.js");
const { IMPORTS } = await import("./source-imports.js");
const picture = pictureOf(IMPORTS);
console.log(process.argv.includes("--mermaid") ? asMermaid(picture) : asText(picture));
