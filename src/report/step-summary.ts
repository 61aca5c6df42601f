import { appendFile } from "node:fs/promises";
import { errorText } from "../format/error-text.js";

/**
 * Appends Markdown to the step summary of GitHub Actions, if there is one. A failure is reported with `say` and does
 * not change the run's outcome.
 */
export async function appendStepSummary(
  markdown: string,
  file: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  if (!file) return;
  try {
    // The existing text may lack its final newline.
    await appendFile(file, `\n${markdown}`);
  } catch (error) {
    say(`the step summary could not be written to GITHUB_STEP_SUMMARY: ${errorText(error)}`);
  }
}
