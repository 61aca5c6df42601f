import { configDefaults, defineConfig } from "vitest/config";

const TIMED = "test/e2e/timed/*.test.ts";

/** The files of a worker share its process: loading them takes longer than running most of them. */
const SHARED = { isolate: false };

/** Tests of one lane, which `vitest run --project LANE` runs alone. */
function lane(name: string, options: object = {}) {
  return {
    extends: true as const,
    test: {
      name,
      include: [`test/${name}/**/*.test.ts`],
      // They wait for processes more than they compute, so that four files keep two cores busy.
      maxWorkers: 4,
      sequence: { groupOrder: 0 },
      ...options,
    },
  };
}

export default defineConfig({
  test: {
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // A busy machine may take seconds for what takes milliseconds; the default is one second.
    expect: { poll: { timeout: 30_000 } },
    // What is built runs as it was built.
    server: { deps: { external: [/\/(?:dist|lib)\//] } },
    projects: [
      // It starts nothing and needs no build.
      lane("unit", SHARED),
      lane("contract", SHARED),
      lane("process", SHARED),
      lane("faults"),
      lane("e2e", { exclude: [...configDefaults.exclude, TIMED], ...SHARED }),
      // What measures time has the machine for itself.
      lane("timed", { include: [TIMED], maxWorkers: 1, sequence: { groupOrder: 1 } }),
    ],
  },
});
