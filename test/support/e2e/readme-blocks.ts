const KINDS = ["run", "install", "needs-scheduler", "needs-worker", "takes-minutes", "output"] as const;

/** A fenced block of Markdown. */
export interface Block {
  /** `run` is typed as it stands; undefined: the block does not say what it is. */
  readonly kind: (typeof KINDS)[number] | undefined;
  readonly text: string;
  /** A command of several lines is one. */
  readonly commands: readonly string[];
}

/** Fenced blocks with their info strings: ```sh is typed as it stands, ```sh KIND and ```text output say what they are. */
export function readmeBlocks(markdown: string): readonly Block[] {
  return [...markdown.matchAll(/^```(.*)\n([^]*?)^```$/gmu)].map(([, info = "", text = ""]) => ({
    kind: info === "sh" ? "run" : KINDS.find((kind) => info === `sh ${kind}` || info === `text ${kind}`),
    text,
    commands: info.startsWith("sh") ? text.trimEnd().split(/(?<!\\)\n/u) : [],
  }));
}

/** What a run's output always has, whatever it measured: its lines without figures, ids and progress. */
export function shapeOf(output: string): readonly string[] {
  return (
    output
      .split("\n")
      // Which phases took the most time is another thing that varies.
      .filter((line) => line.trim() !== "" && !/^\d+ s: |^ {2}[\w -]+ {2,}[\d.]+ % /u.test(line))
      .map((line) =>
        line
          .replace(/(run id +)\w+$/u, "$1ID")
          .replace(/, ± .*$/u, "")
          .replace(/until (?:completed|noticed)/u, "until END")
          .replaceAll(/-?[\d,]*\d(?:\.\d+)?(?: (?:m?s|us|min)\b)?/gu, "N")
          .replaceAll(/ +/gu, " "),
      )
  );
}
