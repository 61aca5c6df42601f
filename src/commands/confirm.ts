import { createInterface } from "node:readline/promises";
import { UsageError } from "../errors.js";

/** @throws UsageError without a terminal; `what` names the consequence */
export function requireTerminal(what: string): void {
  if (process.stdin.isTTY) return;
  throw new UsageError("confirmation-needed", `${what}: there is no terminal to ask on.`, { hint: "Add --yes." });
}

/** Asks a person at the terminal. Anything but yes means no, including the end of the input and an abort. */
export async function confirmed(question: string, signal?: AbortSignal): Promise<boolean> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // A terminal in raw mode sends Ctrl-C as a key. It has to interrupt here too.
  prompt.on("SIGINT", () => {
    if (!process.emit("SIGINT")) process.kill(process.pid, "SIGINT");
    prompt.close();
  });
  // Closing the terminal ends the input.
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
