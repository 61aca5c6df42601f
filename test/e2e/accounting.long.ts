import { expect, test } from "vitest";
import { expectAccounted } from "../support/e2e/accounted-run.js";

test.each([
  { orchestrations: 1, iterations: 100, activities: 100, of: "one long orchestration" },
  { orchestrations: 200, iterations: 10, activities: 10, of: "many orchestrations" },
])("every activity is accounted for of $of: $orchestrations x $iterations x $activities", async (size) => {
  await expect(expectAccounted(size)).resolves.toBeUndefined();
});
