import { readFileSync } from "node:fs";
import { parseConnection } from "../backend/connection-string.js";
import { UsageError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { wordsOf } from "./words.js";

/** One side of a comparison: how to call `fanout run` for it. */
export interface Side {
  readonly name: string;
  /** The flags as written, without possible secrets, because they are printed and written into files. */
  readonly text: string;
  /** Another fanout, such as `npx fanout@1.2`; undefined: this one. */
  readonly program: readonly string[] | undefined;
  /** Flags of `fanout run`. */
  readonly flags: readonly string[];
  /** The variables in which its environment differs from ours. */
  readonly variables: Readonly<Record<string, string>>;
  /** A worker that is started before each of its runs, and ended after it. */
  readonly worker: readonly string[] | undefined;
}

export interface SideTexts {
  /** The values of `--run`. The first one is the base. */
  readonly runs: readonly string[];
  /** The values of `--name`, in the order of the runs. */
  readonly names: readonly string[];
  /** Flags of every side. */
  readonly common: readonly string[];
}

const CONNECTION_STRING = "DURABLE_TASK_CONNECTION_STRING";
const ASSIGNMENT = /^(?<name>[A-Za-z_]\w*)=(?<value>.*)$/su;
const REFERENCE = /^\$(?:\{(?<braced>[A-Za-z_]\w*)\}|(?<plain>[A-Za-z_]\w*))$/u;
/** Flags that the comparison sets or reads itself. */
const NOT_OF_A_SIDE: Readonly<Record<string, string>> = {
  "--repeat": "give it to `fanout compare`",
  "--json": "give it to `fanout compare`",
  "--html": "give it to `fanout compare`",
  "--markdown": "give it to `fanout compare`",
  "--junit": "give it to `fanout compare`",
  "--csv": "`fanout compare --json FILE` keeps all figures",
  "--text": "`fanout compare --json FILE` keeps all figures",
  "--baseline": "the first --run is the base",
  "--run-id": "every run has its own id",
  "--dry-run": "a side has to run",
};

/**
 * Reads the sides. `$NAME` is looked up in `env`.
 * @throws UsageError that names the side and what is wrong with it
 */
export function parseSides({ runs, names, common }: SideTexts, env: NodeJS.ProcessEnv): readonly Side[] {
  if (runs.length < 2)
    throw new UsageError("invalid-side", `--run: expected two or more, with the base first, found ${runs.length}`);
  if (names.length > runs.length) {
    throw new UsageError(
      "invalid-side",
      `--name: expected at most one for each --run, found ${names.length} for ${runs.length}`,
    );
  }

  const sides = runs.map((text, index) => {
    const name = names[index]?.trim() ?? defaultName(index, runs.length);
    return parseSide(name, text, common, env);
  });
  const twice = sides.find(({ name }, index) => sides.findIndex((side) => side.name === name) !== index);
  if (twice) {
    throw new UsageError(
      "invalid-side",
      `--name: expected a different name for each side, found "${twice.name}" twice`,
    );
  }
  return sides;
}

function defaultName(index: number, count: number): string {
  if (index === 0) return "base";
  return count === 2 ? "new" : `new${index}`;
}

function parseSide(name: string, text: string, common: readonly string[], env: NodeJS.ProcessEnv): Side {
  const flag = `--run '${name}'`;
  const words = wordsOf(text, flag);
  const first = words.findIndex((word) => !ASSIGNMENT.test(word));
  const assignments = first < 0 ? words : words.slice(0, first);
  const { program, flags } = programOf(first < 0 ? [] : words.slice(first), flag);
  const { kept, taken } = takeValues([...flags, ...common], ["--connection-string", "--worker-command"], flag);
  refuseForeignFlags(kept, flag);
  const variables = variablesOf(assignments, flag, env);
  const { "--connection-string": connectionString, "--worker-command": worker } = taken;
  if (connectionString !== undefined) variables[CONNECTION_STRING] = openly(connectionString, flag);
  const shown = [
    ...assignments.map((word) => shownAssignment(word)),
    ...(program ? [...program, "run"] : ["fanout run"]),
    ...kept.map(shownWord),
    ...(connectionString === undefined ? [] : ["--connection-string ..."]),
    ...(worker === undefined ? [] : [`--worker-command ${shownWord(worker)}`]),
  ];
  return {
    name,
    text: shown.join(" "),
    program,
    flags: kept,
    variables,
    worker: worker === undefined ? undefined : workerOf(worker, flag),
  };
}

/** Words before `run` name another fanout. */
function programOf(words: readonly string[], flag: string): Pick<Side, "program" | "flags"> {
  const [head] = words;
  if (head === undefined || head.startsWith("-")) return { program: undefined, flags: words };
  const run = words.indexOf("run");
  if (run < 0) {
    throw new UsageError(
      "invalid-side",
      `${flag}: expected flags of \`fanout run\`, or a command with \`run\` such as 'npx fanout@1.2 run --rate 50/s', found "${head}"`,
    );
  }
  return { program: run === 0 ? undefined : words.slice(0, run), flags: words.slice(run + 1) };
}

/** Removes flags with a value from the words. The value follows a blank or `=`. */
function takeValues<Name extends string>(words: readonly string[], names: readonly Name[], flag: string) {
  const kept: string[] = [];
  const taken: Partial<Record<Name, string>> = {};
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    const name = names.find((name) => word === name || word.startsWith(`${name}=`));
    if (name === undefined) {
      kept.push(word);
      continue;
    }
    if (taken[name] !== undefined)
      throw new UsageError("invalid-side", `${flag}: expected ${name} once, found it twice`);
    const value = word === name ? words[(index += 1)] : word.slice(name.length + 1);
    if (value === undefined)
      throw new UsageError("invalid-side", `${flag}: expected a value after ${name}, found none`);
    taken[name] = value;
  }
  return { kept, taken };
}

function refuseForeignFlags(flags: readonly string[], flag: string): void {
  for (const word of flags) {
    const [name = ""] = word.split("=");
    const instead = Object.hasOwn(NOT_OF_A_SIDE, name) ? NOT_OF_A_SIDE[name] : undefined;
    if (instead !== undefined)
      throw new UsageError("invalid-side", `${flag}: expected no ${name} of a side`, { hint: instead });
  }
}

/** `NAME=value`, `NAME=$OTHER` from our own environment, or `NAME=@FILE`. */
function variablesOf(assignments: readonly string[], flag: string, env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    assignments.map((assignment) => {
      const { name = "", value = "" } = ASSIGNMENT.exec(assignment)?.groups ?? {};
      return [name, valueOf(name, value, flag, env)];
    }),
  );
}

function valueOf(name: string, value: string, flag: string, env: NodeJS.ProcessEnv): string {
  const groups = REFERENCE.exec(value)?.groups;
  const variable = groups?.["braced"] ?? groups?.["plain"];
  if (variable !== undefined) {
    const found = env[variable];
    if (!found) {
      throw new UsageError(
        "invalid-side",
        `${flag}: ${name}: expected the variable ${variable} to be set, found it empty`,
      );
    }
    return found;
  }
  if (value.startsWith("@")) {
    try {
      return readFileSync(value.slice(1), "utf8").trim();
    } catch (error) {
      throw new UsageError("invalid-side", `${flag}: ${name}: expected a file, found ${errorText(error)}`, {
        cause: error,
      });
    }
  }
  return name.endsWith("CONNECTION_STRING") ? openly(value, flag) : value;
}

/**
 * Every user of the machine can read the title of a process, so a connection string there must not hold a credential.
 */
function openly(connectionString: string, flag: string): string {
  const connection = parseConnection({ text: connectionString, source: flag });
  if (connection.kind === "emulator" || connection.authentication.kind === "None") return connectionString;
  throw new UsageError(
    "exposed-credential",
    `${flag}: expected a connection string with a credential to come from a variable or a file, since all users of ` +
      "the machine can read command lines",
    {
      hint:
        `put it there, and write, in single quotes, ${CONNECTION_STRING}=$NAME or ${CONNECTION_STRING}=@FILE in front ` +
        "of the flags",
    },
  );
}

function workerOf(text: string, flag: string): readonly string[] {
  const words = wordsOf(text, `${flag}: --worker-command`);
  if (words.length === 0)
    throw new UsageError("invalid-side", `${flag}: --worker-command: expected a command, found none`);
  return words;
}

/** The source of a value may be shown, the value itself not. */
function shownAssignment(assignment: string): string {
  const { name = "", value = "" } = ASSIGNMENT.exec(assignment)?.groups ?? {};
  return REFERENCE.test(value) || value.startsWith("@") ? assignment : `${name}=...`;
}

function shownWord(word: string): string {
  return /^[\w@%+=:,./-]+$/u.test(word) ? word : `'${word}'`;
}
