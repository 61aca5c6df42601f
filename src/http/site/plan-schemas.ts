import { z } from "zod";

/** The body of `/api/v1/plans`. */
export const PlanCheck = z
  .object({
    valid: z.boolean().describe("Whether it can be read as a plan."),
    errors: z
      .array(z.object({ field: z.string().optional(), detail: z.string() }))
      .describe("What is wrong, by key: the first 20 errors. Empty for a valid plan."),
    planLine: z.string().optional().describe("The plan and its cost, in words."),
    actions: z
      .int()
      .optional()
      .describe(
        "How many actions it may cost at most; absent if only time bounds them, or if those of each orchestration are unknown.",
      ),
    starts: z
      .int()
      .optional()
      .describe("How many orchestrations it may start at most; absent if only time bounds them."),
    refusal: z
      .object({ field: z.string().optional(), detail: z.string() })
      .optional()
      .describe(
        "Why a start of this plan would be refused for its cost, and what would allow it. While the backend does not answer, as if it may bill actions.",
      ),
    backend: z
      .object({ name: z.string(), taskHub: z.string(), mayBill: z.boolean() })
      .optional()
      .describe(
        "Where it would run, and whether actions may be billed there; absent while the backend does not answer.",
      ),
  })
  .meta({
    examples: [
      {
        valid: true,
        errors: [],
        planLine: "2 orchestrations x 3 iterations x 4 activities = 24 activities, 50 actions",
        actions: 50,
        starts: 2,
        backend: { name: "the embedded emulator", taskHub: "default", mayBill: false },
      },
      {
        valid: false,
        errors: [
          {
            field: "rate",
            detail: 'rate: expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "fast"',
          },
        ],
      },
    ],
  });

export type PlanCheck = z.output<typeof PlanCheck>;
