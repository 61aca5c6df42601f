import { existsSync } from "node:fs";
import path from "node:path";
import { Child, type Command } from "#child";

export const INTEROP = path.resolve(import.meta.dirname, "..");
export const CACHE = path.join(INTEROP, ".cache");
const PYTHON = path.join(CACHE, "python/bin/python");
const CLASSES = [path.join(CACHE, "java/classes"), path.join(CACHE, "java/lib/*")].join(path.delimiter);
const FETCH_PATIENCE_MS = 600_000;

/** What of the workload a worker hosts; a part of it with a filter that says so. */
type Part = "all" | "orchestrators" | "activities";

/** A client's program prints `ok`, `not ok` or `skip`, and the name of the check, for each. */
export interface Language {
  readonly name: string;
  /** What its worker does not have, or not as others do: the checks that need it are skipped. */
  readonly lacks: readonly string[];
  /** Whether its workers can say what they take. */
  readonly filters: boolean;
  /** Fetches and builds what it needs. Rejects with the reason why it cannot be had. */
  readonly prepare: () => Promise<void>;
  readonly worker: (port: number, part: Part) => Command;
  readonly client: (port: number, runId: string, lacking: readonly string[]) => Command;
}

const python: Language = {
  name: "Python",
  lacks: [],
  filters: true,
  async prepare() {
    if (!existsSync(PYTHON)) await must({ program: "python3", args: ["-m", "venv", path.join(CACHE, "python")] });
    await must({ program: PYTHON, args: ["-m", "pip", "install", "-q", "-r", inFolder("python/requirements.txt")] });
  },
  worker: (port, part) => ({ program: PYTHON, args: [inFolder("python/worker.py"), `localhost:${port}`, part] }),
  client: (port, runId, lacking) => ({
    program: PYTHON,
    args: [inFolder("python/client.py"), `localhost:${port}`, runId, ...lacking],
  }),
};

/** A Python worker that hosts the orchestration and the activity of `fanout run`. */
export function pythonContract(port: number): Command {
  return { program: PYTHON, args: [inFolder("python/contract.py"), `localhost:${port}`] };
}

const java: Language = {
  name: "Java",
  // Its continue-as-new hands back events that it has taken already, in any order.
  lacks: ["rewind", "exact carry-over"],
  filters: false,
  prepare: () => must({ program: "mvn", args: ["-q", "-B", "-f", inFolder("java/pom.xml"), "compile"] }),
  worker: (port) => ({ program: "java", args: ["-cp", CLASSES, "interop.Worker", String(port)] }),
  client: (port, runId, lacking) => ({
    program: "java",
    args: ["-cp", CLASSES, "interop.Client", String(port), runId, ...lacking],
  }),
};

const javascript: Language = {
  ...javascriptOn("JavaScript", path.resolve(INTEROP, "../node_modules/@microsoft/durabletask-js")),
  lacks: [],
  filters: true,
  // It is a dependency of fanout.
  prepare: () => Promise.resolve(),
};

const dapr: Language = {
  ...javascriptOn("Dapr's JavaScript", path.join(INTEROP, "node_modules/@dapr/durabletask-js")),
  // It drops the second of two events that come in one episode.
  lacks: ["send event", "retry", "rewind", "JSON custom status", "exact carry-over"],
  filters: false,
  prepare: () => must({ program: "npm", args: ["ci", "--silent", "--no-audit", "--no-fund"], folder: INTEROP }),
};

export const LANGUAGES: readonly Language[] = [python, java, javascript, dapr];

function javascriptOn(name: string, sdk: string): Pick<Language, "name" | "worker" | "client"> {
  return {
    name,
    worker: (port, part) => ({
      program: process.execPath,
      args: [inFolder("javascript/worker.mjs"), `localhost:${port}`, sdk, part],
    }),
    client: (port, runId, lacking) => ({
      program: process.execPath,
      args: [inFolder("javascript/client.mjs"), `localhost:${port}`, sdk, runId, ...lacking],
    }),
  };
}

function inFolder(file: string): string {
  return path.join(INTEROP, file);
}

/** Runs a command that has to end well. */
export async function must(command: Command): Promise<void> {
  const line = [command.program, ...command.args].join(" ");
  const { code, output } = await Child.run(command, FETCH_PATIENCE_MS).catch((error: unknown) => {
    throw new Error(`${command.program} cannot be started: ${String(error)}`);
  });
  if (code !== 0) throw new Error(`${line} ended with ${code}: ${output.trim().split("\n").at(-1)}`);
}
