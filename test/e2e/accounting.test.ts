import { describe, expect, test } from "vitest";
import { expectAccounted } from "../support/e2e/accounted-run.js";

// Ten times as large: accounting.long.ts.
describe("every activity is accounted for", () => {
  test.each([
    { orchestrations: 1, iterations: 20, activities: 50, of: "one long orchestration" },
    { orchestrations: 100, iterations: 4, activities: 5, of: "many orchestrations" },
  ])("of $of: $orchestrations x $iterations x $activities", async (size) => {
    await expect(expectAccounted(size)).resolves.toBeUndefined();
  });
});
