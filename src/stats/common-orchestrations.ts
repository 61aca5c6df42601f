import type { RunResult } from "../result/run-result.js";

/** The orchestrations of a mix that all runs have. */
export function commonOrchestrations(runs: readonly RunResult[]): readonly string[] {
  const [first = [], ...others] = runs.map(({ byOrchestration = [] }) => {
    return byOrchestration.map(({ orchestrator }) => orchestrator);
  });
  return first.filter((name) => others.every((names) => names.includes(name)));
}
