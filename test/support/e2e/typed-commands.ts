import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { FANOUT, Workplace } from "./workplace.js";

/** A place whose `npx fanout` is the built program: the commands run as they are printed. */
export async function openPlace(): Promise<{ place: Workplace; env: Record<string, string> }> {
  const place = await Workplace.open();
  const bin = join(place.root, "bin");
  await mkdir(bin);
  await writeFile(join(bin, "npx"), `#!/bin/sh\nshift\nexec '${process.execPath}' '${FANOUT}' "$@"\n`);
  await chmod(join(bin, "npx"), 0o755);
  // The state is where a newcomer has it: in HOME.
  const { FANOUT_STATE_DIR: _unset, ...env } = place.env;
  return { place, env: { ...env, PATH: `${bin}${delimiter}${place.env["PATH"]}` } };
}

interface Typed {
  readonly command: string;
  readonly code: number;
  readonly output: string;
}

/** Types the commands into one shell in order, also after one that fails. */
export async function type(
  commands: readonly string[],
  place: Workplace,
  env: Record<string, string>,
): Promise<readonly Typed[]> {
  // With job control, as on a terminal: `kill %1` then reaches all processes of the job.
  const script = ["set -m", ...commands.flatMap((command) => [command, 'printf "\\n@@@ %s\\n" $?']), "wait"].join("\n");
  const { stdout } = await place.startProgram("bash", ["-c", `exec 2>&1\n${script}`], env).ended;
  const parts = stdout.split(/\n@@@ (\d+)\n/u);
  return commands.map((command, index) => ({
    command,
    output: parts[2 * index] ?? "",
    code: Number(parts[2 * index + 1]),
  }));
}
