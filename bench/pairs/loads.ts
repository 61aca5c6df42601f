function words(line: string): readonly string[] {
  return line.split(" ");
}

/** The flags of loads that several benchmarks run. */
export const W1 = words("--parallel-orchestrations 100 --iterations 10 --parallel-activities 10");
export const W2 = words("--parallel-orchestrations 10 --iterations 20 --parallel-activities 100");
export const W3 = words("--parallel-orchestrations 1 --iterations 100 --parallel-activities 100");
export const CHAIN_STEPS = 200;
export const CHAIN = words(`--iterations ${CHAIN_STEPS} --parallel-activities 1`);
