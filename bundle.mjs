/**
 * Bundles dist/ and the packages it uses into lib/, from where bin/fanout.js starts. A process that loads 400 small files
 * spends more time on finding them than on its work.
 */
import { readFile, rm } from "node:fs/promises";
import { build } from "rolldown";

await rm("lib", { recursive: true, force: true });
await build({
  input: {
    cli: "dist/cli.js",
    // For tests that run commands in their own process.
    program: "dist/program.js",
    "worker/main": "dist/worker/main.js",
    "generators/main": "dist/generators/main.js",
    "commands/served-run": "dist/commands/served-run.js",
    "emulator/process/main": "dist/emulator/process/main.js",
  },
  platform: "node",
  // Most commands never load these, and some of them read files of their own package or evaluate `require`.
  external: [/^@azure\//u, /^@?fastify(?:\/|$)/u, "hdr-histogram-js", "prom-client"],
  output: {
    dir: "lib",
    // A chunk reaches the entries, package.json and bin/ by the same paths as a module in a room of dist/.
    chunkFileNames: "chunks/[name].js",
  },
  onLog(_level, { message }) {
    throw new Error(message);
  },
});
// The scripts of the pages, for browsers, each in one file with what it uses.
const licence = await readFile("node_modules/uplot/LICENSE", "utf8");
const PAGES = { live: `/*!\n${licence.trim()}\n*/`, login: "", home: "" };
for (const [page, postBanner] of Object.entries(PAGES)) {
  await build({
    input: { [page]: `src/page/${page}.ts` },
    platform: "browser",
    output: { dir: "lib/page", minify: true, postBanner },
    onLog(_level, { message }) {
      throw new Error(message);
    },
  });
}
