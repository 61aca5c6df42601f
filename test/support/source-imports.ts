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
  /** `types` loads nothing, and `call` is an `import()`. */
  readonly loads: "types" | "at-once" | "call";
}

/** The source files, relative to `src/`. */
export const FILES: readonly string[] = globSync("**/*.ts", { cwd: SRC })
  .map((file) => file.replaceAll(path.sep, "/"))
  .sort();

export const IMPORTS: readonly Import[] = FILES.flatMap(importsOf);

/** What a process loads at once when it loads the file: files of ours, itself among them, and packages. */
export function loadedBy(file: string): { readonly files: readonly string[]; readonly packages: readonly string[] } {
  const files = new Set([file]);
  const packages = new Set<string>();
  for (const each of files) {
    for (const { target, specifier } of IMPORTS.filter((of) => of.file === each && of.loads === "at-once")) {
      if (target !== undefined) files.add(target);
      else if (!specifier.startsWith("node:")) packages.add(specifier);
    }
  }
  return { files: [...files], packages: [...packages] };
}

function importsOf(file: string): Import[] {
  const source = readFileSync(path.join(SRC, file), "utf8");
  return [...source.matchAll(IMPORT)].map(([text, from, effect, dynamic]) => {
    const specifier = from ?? effect ?? dynamic!;
    const target = specifier.startsWith(".")
      ? path.posix.join(path.posix.dirname(file), specifier.replace(/\.js$/, ".ts"))
      : undefined;
    const isOfTypes = /^(?:import|export)\s+type\b/.test(text);
    return { file, specifier, target, loads: dynamic !== undefined ? "call" : isOfTypes ? "types" : "at-once" };
  });
}
