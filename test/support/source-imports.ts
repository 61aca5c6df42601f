import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../../src/", import.meta.url));

/** Imports of types and of values, re-exports, imports of side effects, and `import()`. */
const IMPORT =
  /^(?:import\b|export\s+(?:type\s+)?[{*])[^;]*?\bfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

export interface Import {
  /** Relative to `src/`. */
  readonly file: string;
  readonly specifier: string;
  /** The file of ours that it means, relative to `src/`. */
  readonly target: string | undefined;
}

/** The source files, relative to `src/`. */
export const FILES: readonly string[] = globSync("**/*.ts", { cwd: SRC })
  .map((file) => file.replaceAll(path.sep, "/"))
  .sort();

export const IMPORTS: readonly Import[] = FILES.flatMap(importsOf);

function importsOf(file: string): Import[] {
  const source = readFileSync(path.join(SRC, file), "utf8");
  return [...source.matchAll(IMPORT)].map(([, from, effect, dynamic]) => {
    const specifier = from ?? effect ?? dynamic!;
    const target = specifier.startsWith(".")
      ? path.posix.join(path.posix.dirname(file), specifier.replace(/\.js$/, ".ts"))
      : undefined;
    return { file, specifier, target };
  });
}
