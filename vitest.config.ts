import { configDefaults, defineConfig } from "vitest/config";

const TIMED = "test/e2e/timed/*.test.ts";

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is built runs as it was built.
    server: { deps: { external: [/\/dist\//] } },
    projects: [
      {
        extends: true,
        test: {
          name: "together",
          include: ["test/**/*.test.ts"],
          exclude: [...configDefaults.exclude, TIMED],
          // The end-to-end tests start real processes on a shared machine: two files at a time keep them honest.
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        // What measures time has the machine for itself.
        test: { name: "timed", include: [TIMED], maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
