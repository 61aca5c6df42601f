import { expect, test } from "vitest";
import { leftText } from "../../../src/commands/terminate-left.js";
import type { Termination } from "../../../src/hub/termination.js";

const COMMAND = "fanout terminate --run r1";

function idsOf(kind: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${kind}-${index}`);
}

function termination(endedAs: Termination["endedAs"], open: number, refusal?: string): Termination {
  const count = Object.values(endedAs).reduce((sum, part) => sum + part, 0);
  const unfinished = { ids: idsOf("open", open), byStatus: { Running: open } };
  return { endedAs, ended: idsOf("ended", count), unfinished, ...(refusal !== undefined && { refusal }) };
}

test.each([
  [termination({}, 0), "It left nothing in flight."],
  [termination({ Terminated: 1 }, 0), "Its 1 orchestration in flight was terminated."],
  [termination({ Terminated: 2_000 }, 0), "Its 2,000 orchestrations in flight were terminated."],
  [
    termination({ Terminated: 2, Completed: 1 }, 0),
    "Of its 3 orchestrations in flight, 2 were terminated and 1 ended by itself.",
  ],
  [
    termination({ Terminated: 3, Completed: 1, Failed: 1 }, 1, "it may not"),
    `Of its 6 orchestrations in flight, 3 were terminated, 2 ended by themselves, and 1 has not ended (it may not); to end it: ${COMMAND}`,
  ],
  [termination({}, 2), `Of its 2 orchestrations in flight, 2 have not ended; to end them: ${COMMAND}`],
])("what became of what a run left is told by what is known: %j", (outcome, text) => {
  expect(leftText(outcome, COMMAND)).toBe(text);
});
