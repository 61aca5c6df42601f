import { appendFile } from "node:fs/promises";
import { errorText } from "../format/error-text.js";

/**
 * Appends Markdown to the file that GitHub Actions shows as the summary of a step, if there is one. It is a courtesy:
 * where it fails, `say` is told, and the run is what it was.
 */
export async function appendStepSummary(
  markdown: string,
  file: string | undefined,
  say: (line: string) => void,
): Promise<void> {
  if (!file) return;
  try {
    // What is there may lack its final newline.
    await appendFile(file, `\n${markdown}`);
  } catch (error) {
    say(`the step summary could not be written to GITHUB_STEP_SUMMARY: ${errorText(error)}`);
  }
}
