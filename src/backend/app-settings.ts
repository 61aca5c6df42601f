import { readFileSync } from "node:fs";
import { z } from "zod";
import { errorText } from "../format/error-text.js";
import { UsageError } from "../errors.js";

export const SETTINGS_FILE = "appsettings.json";

const Settings = z.object({
  DurableTaskScheduler: z.object({ ConnectionString: z.string().min(1).optional() }).optional(),
});

/**
 * The connection string of a folder's `appsettings.json`; undefined if there is no such file, or no string in it.
 * @throws UsageError that repeats nothing of the file
 */
export function connectionStringOfSettings(folder: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(`${folder}/${SETTINGS_FILE}`, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;

    throw new UsageError("invalid-settings", `${SETTINGS_FILE} cannot be read: ${errorText(error)}.`, { cause: error });
  }
  let json: unknown;
  try {
    // .NET sometimes writes a byte order mark.
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new UsageError("invalid-settings", `${SETTINGS_FILE} is not JSON.`, { cause: error });
  }
  const settings = Settings.safeParse(json);
  if (!settings.success) {
    throw new UsageError(
      "invalid-settings",
      `${SETTINGS_FILE}: expected {"DurableTaskScheduler": {"ConnectionString": "..."}}, found another shape.`,
    );
  }
  return settings.data.DurableTaskScheduler?.ConnectionString;
}
