/**
 * Loaded ahead of the processes of a seed. Node runs their files as they are, so an import finds the file that the
 * compiler would have made `.js`, or that it has made; and what the product waits for half a minute is shorter here.
 */
import { readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";

/** How long a connection may be silent here, milliseconds. */
const SILENCE_MS = Number(process.env["FAULT_SILENCE_MS"]);

const SHORTER: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "/dist/emulator/transport/grpc/connection.js": {
    PING_EVERY_MS: SILENCE_MS / 3,
    PING_TIMEOUT_MS: (SILENCE_MS * 2) / 3,
  },
  "/dist/protocol/link.js": { LINK_SILENCE_MS: SILENCE_MS, LINK_PING_MS: SILENCE_MS / 3 },
  // So that workers ask for histories, and those come in parts.
  "/dist/emulator/dispatch/work-items.js": { MOST_HISTORY_BYTES: 3_000 },
  "/dist/emulator/service/client-service.js": { HISTORY_CHUNK_BYTES: 1_000 },
};

registerHooks({
  resolve(specifier, context, next) {
    return next(context.parentURL?.endsWith(".ts") === true ? asItIs(specifier) : specifier, context);
  },
  load(url, context, next) {
    const [, constants] = Object.entries(SHORTER).find(([file]) => url.endsWith(file)) ?? [];
    if (constants === undefined) return next(url, context);
    let source = readFileSync(fileURLToPath(url), "utf8");
    for (const [name, value] of Object.entries(constants)) {
      const shorter = source.replace(new RegExp(`const ${name} = [\\d_]+;`, "u"), `const ${name} = ${value};`);
      if (shorter === source) throw new Error(`Expected a constant ${name} in ${url}, found none.`);
      source = shorter;
    }
    return { format: "module", source, shortCircuit: true };
  },
});

/** Tests are as they were written, the product is built. */
function asItIs(specifier: string): string {
  if (/^(\.\.\/)+src\//u.test(specifier)) return specifier.replace("/src/", "/dist/");
  return specifier.startsWith(".") && !specifier.includes("/dist/") ? specifier.replace(/\.js$/u, ".ts") : specifier;
}
