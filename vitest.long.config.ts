import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.long.ts"],
    maxWorkers: 1,
    testTimeout: 20 * 60_000,
    hookTimeout: 60_000,
  },
});
