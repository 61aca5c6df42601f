import { afterAll, expect, test } from "vitest";
import { runSeed } from "./run-seed.js";
import { SHORT_SEEDS } from "./short-seeds.js";
import { Understudies } from "./understudies.js";

/** The first one finds it, unless nothing of what was promised by then is missed. */
const MOST_SEEDS_TO_CATCH = 3;
/** The kill comes when clients have been told of so much, however long that takes on a machine with much else to do. */
const KILL = { kind: "killEmulator", downMs: 0, atPart: 0.3 } as const;
const MOST_WAIT_MS = 30_000;

/** What is said of something acknowledged that is no more. */
const LOSS = /There is no instance|and is not there|does not end|there is no such instance/u;

const understudies = new Understudies({ worker: 2, client: 1 });
afterAll(() => understudies.close());

test.each(SHORT_SEEDS)("no acknowledged work is lost and none is done twice: seed %i", async (seed) => {
  const { failures, told } = await runSeed(seed, { understudies });
  expect(failures.length === 0 ? [] : told.split("\n")).toEqual([]);
});

test("an emulator that answers before it commits is caught by kills", async () => {
  const losses: string[] = [];
  for (let seed = 1; seed <= MOST_SEEDS_TO_CATCH && losses.length === 0; seed += 1) {
    const { failures } = await runSeed(seed, {
      understudies,
      faults: [KILL],
      mostWaitMs: MOST_WAIT_MS,
      flaw: "lateCommit",
      patienceMs: 2_500,
    });
    losses.push(...failures.filter((failure) => LOSS.test(failure)));
  }
  expect(losses).not.toEqual([]);
});
