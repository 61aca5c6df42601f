/** What every room may import: files that know nothing of the rooms, and how people write counts, durations and errors. */
const GROUND = ["errors.ts", "exit-codes.ts", "version.ts", "invariant.ts", "format/"];

/**
 * What each room may import of ours, besides its own files and the ground floor. A room is a folder, or a file of `src/`; the
 * folders of `emulator/` are rooms each.
 */
const RULES: Readonly<Record<string, readonly string[]>> = {
  "cli.ts": ["commands/", "program.ts"],
  "program.ts": ["cli/", "commands/"],
  // What commander is told of one subcommand each.
  "cli/": ["commands/"],
  // One file for each subcommand: flags in, one call, exit code out.
  "commands/": [
    "async/",
    "backend/",
    "capacity/",
    "diagnosis/",
    "emulator/hub/",
    "emulator/limits/",
    "emulator/process/",
    "generators/",
    "http/",
    "hub/",
    "live/",
    "load/",
    "otlp/",
    "plan/",
    "protocol/",
    "report/",
    "result/",
    "runs/",
    "sides/",
    "soak/",
    "stats/",
    "worker/",
  ],
  // Its policy is pure; a probe is a run.
  "capacity/": ["async/", "backend/", "hub/", "load/", "own-workers/", "plan/", "protocol/", "result/", "stats/"],
  // Its alarms are pure; a leg is a run.
  "soak/": ["async/", "backend/", "hub/", "load/", "plan/", "protocol/", "result/", "stats/"],
  // Processes that make one run together.
  "generators/": [
    "async/",
    "backend/",
    "breakdown/",
    "hub/",
    "live/",
    "load/",
    "plan/",
    "protocol/",
    "result/",
    "stats/",
  ],
  "http/": [
    "async/",
    "backend/",
    "hub/",
    "live/",
    "load/",
    "orchestrations/",
    "plan/",
    "report/",
    "result/",
    "runs/",
    "stats/",
  ],
  // Runs in a browser.
  "page/": ["live/", "report/", "result/"],
  // What a run tells a page while it runs.
  "live/": ["report/", "result/", "stats/"],
  // What a run tells a collector.
  "otlp/": ["result/", "stats/", "timeline/"],
  // Runs that a server starts, each in a process of its own.
  "runs/": ["generators/", "live/", "load/", "plan/", "result/", "stats/"],
  // Each side is a process of its own.
  "sides/": ["backend/", "protocol/", "report/", "result/"],
  "diagnosis/": ["backend/", "hub/", "protocol/"],
  "report/": ["hub/", "result/", "stats/", "timeline/"],
  // Histories and stamps in, values out.
  "breakdown/": ["protocol/", "result/", "stats/"],
  // The history of one instance to its timeline, and a timeline to fewer rows.
  "timeline/": ["breakdown/", "protocol/", "result/"],
  "load/": [
    "async/",
    "backend/",
    "breakdown/",
    "hub/",
    "orchestrations/",
    "own-workers/",
    "plan/",
    "protocol/",
    "result/",
    "stats/",
    "timeline/",
  ],
  "own-workers/": ["backend/", "plan/", "protocol/"],
  "hub/": ["async/", "backend/", "orchestrations/", "plan/", "result/", "timeline/"],
  "plan/": ["orchestrations/", "result/"],
  "worker/": ["backend/", "orchestrations/", "protocol/"],
  "orchestrations/": [],
  // What the emulator does inside is not its business.
  "backend/": ["protocol/"],
  "stats/": ["result/"],
  "result/": [],

  "emulator/process/": [
    "emulator/clock/",
    "emulator/dispatch/",
    "emulator/hub/",
    "emulator/instance/",
    "emulator/limits/",
    "emulator/service/",
    "emulator/store/",
    "emulator/transport/",
    "protocol/",
  ],
  "emulator/transport/": ["emulator/clock/", "emulator/limits/", "emulator/service/", "protocol/"],
  "emulator/service/": [
    "emulator/clock/",
    "emulator/dispatch/",
    "emulator/hub/",
    "emulator/instance/",
    "emulator/store/",
    "protocol/",
  ],
  "emulator/hub/": [
    "emulator/clock/",
    "emulator/dispatch/",
    "emulator/instance/",
    "emulator/limits/",
    "emulator/store/",
    "protocol/",
  ],
  "emulator/dispatch/": ["async/", "emulator/clock/", "emulator/instance/", "protocol/"],
  "emulator/instance/": ["emulator/store/", "protocol/"],
  "emulator/limits/": ["protocol/"],
  "emulator/store/": ["async/", "emulator/clock/", "protocol/"],
  "emulator/clock/": [],

  "protocol/": [],
  "format/": [],
  "async/": [],
  "errors.ts": ["exit-codes.ts"],
  "exit-codes.ts": [],
  "version.ts": [],
  "invariant.ts": [],
};

/** The rooms, each with all that it may import of ours besides its own files. */
export const ROOMS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(
  Object.entries(RULES).map(([room, rule]) => [room, GROUND.includes(room) ? rule : [...rule, ...GROUND]]),
);

/** The room of a file, which is relative to `src/`; undefined where it is in none. */
export function roomOf(file: string): string | undefined {
  const [first = "", second = ""] = file.split("/");
  return [file, `${first}/${second}/`, `${first}/`].find((room) => room in ROOMS);
}

type Arrow = readonly [from: string, to: string];

/** The circles of a graph, such as `a -> b -> a`: each arrow that closes one on a walk in depth. */
export function circles(arrows: readonly Arrow[]): readonly string[] {
  const next = Map.groupBy(arrows, ([from]) => from);
  const path: string[] = [];
  const done = new Set<string>();
  const found: string[] = [];
  const walk = (node: string): void => {
    if (path.includes(node)) {
      found.push([...path.slice(path.indexOf(node)), node].join(" -> "));
    } else if (!done.has(node)) {
      path.push(node);
      for (const [, to] of next.get(node) ?? []) walk(to);
      path.pop();
      done.add(node);
    }
  };
  for (const node of next.keys()) walk(node);
  return found;
}
