import { createInterface } from "node:readline/promises";
import { UsageError } from "../errors.js";

/** @throws UsageError where there is nobody to ask; `what` says what is at stake */
export function requireTerminal(what: string): void {
  if (process.stdin.isTTY) return;
  throw new UsageError("confirmation-needed", `${what}: there is no terminal to ask on.`, { hint: "Add --yes." });
}

/** Asks a person at the terminal; anything but yes means no, the end of the input and an abort too. */
export async function confirmed(question: string, signal?: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal in raw mode sends Ctrl-C as a key. It has to interrupt here too.
  prompt.on("SIGINT", () => {
    if (!process.emit("SIGINT")) process.kill(process.pid, "SIGINT");
    prompt.close();
  });
  // A terminal that is closed is an end of the input.
  prompt.once("error", () => prompt.close());
  signal?.addEventListener("abort", () => prompt.close());
  const closed = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
  try {
    const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed]);
    return /^y(es)?$/iu.test(answer.trim());
  } finally {
    prompt.close();
  }
}
