import { mkdtemp, mkdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { z } from "zod";
import { EmulatorDoor } from "../../../src/backend/emulator-door.js";
import { DOOR_VARIABLE, usesLoopback } from "../../../src/protocol/loopback-door.js";
import { AdminConnection } from "../../../src/backend/admin-connection.js";
import type { runProgram as RunProgram } from "../../../src/program.js";
import { FanoutProcess, type Ended } from "./fanout-process.js";
import { canSeeProcesses, processesOf } from "./process-table.js";

export const FANOUT = fileURLToPath(new URL("../../../bin/fanout.js", import.meta.url));
/** What Node has compiled, kept for the next process: the tests start some thousand. */
const COMPILED = fileURLToPath(new URL("../../../node_modules/.cache/compiled/", import.meta.url));
const PROGRAM = new URL("../../../lib/program.js", import.meta.url).href;

const backlog = z.strictObject({ waiting: z.int(), withWorkers: z.int(), resting: z.int() });

export const emulatorStatus = z.discriminatedUnion("running", [
  z.strictObject({ running: z.literal(false), folder: z.string() }),
  z.strictObject({
    running: z.literal(true),
    pid: z.int(),
    version: z.string(),
    endpoints: z.array(z.string()).min(1),
    folder: z.string(),
    durability: z.enum(["disk", "process", "ephemeral"]),
    startedAt: z.iso.datetime(),
    connections: z.int(),
    instances: z.int(),
    inFlight: z.int(),
    workers: z.int(),
    redelivered: z.int(),
    backlog: z.strictObject({ orchestrations: backlog, activities: backlog }),
    longestTurnMs: z.int().min(0),
    expired: z.int(),
    orchestrationsEnded: z.int(),
    activitiesCompleted: z.int(),
    storeBytes: z.int().min(1),
  }),
]);

export type RunningEmulator = Extract<z.output<typeof emulatorStatus>, { running: true }>;

type EndedHere = Ended & { readonly code: number };

/** These keep the emulator's lock to the end of their process. */
const HOLDS_THE_LOCK = /^emulator (?:stop|reset)\b/u;

/** The command that runs in this process, which has one environment and one working folder. */
let running: { readonly line: string; readonly end: () => void } | undefined;

/** Lends this process to a command, until `end`. */
function lend(line: string, env: NodeJS.ProcessEnv, folder: string): { readonly end: () => void } {
  if (running !== undefined)
    throw new Error(`Expected \`fanout ${running.line}\` to have ended before \`fanout ${line}\``);
  const before = { env: process.env, folder: process.cwd() };
  const mine = {
    line,
    end: () => {
      if (running !== mine) return;
      running = undefined;
      process.env = before.env;
      process.chdir(before.folder);
    },
  };
  running = mine;
  process.env = env;
  process.chdir(folder);
  return mine;
}

/** A stream that keeps what is written to it. */
class Heard extends Writable {
  text = "";

  constructor() {
    super({ decodeStrings: false });
  }

  override _write(chunk: string | Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

/** A machine of its own, as far as fanout can tell: an empty HOME, a working folder, and no state. */
export class Workplace {
  readonly home: string;
  readonly folder: string;
  readonly stateFolder: string;
  readonly #started: FanoutProcess[] = [];

  constructor(readonly root: string) {
    this.home = join(root, "home");
    this.folder = join(root, "work");
    // Not made: that is for fanout to do.
    this.stateFolder = join(root, "state");
  }

  /** For the test that is running: it is closed when the test has ended, however it did. */
  static async open(): Promise<Workplace> {
    const place = await Workplace.make();
    onTestFinished(() => place.close());
    return place;
  }

  /** One that its caller closes: `beforeAll` makes it for the tests of a file, and `afterAll` closes it. */
  static async make(): Promise<Workplace> {
    const place = new Workplace(await realpath(await mkdtemp(join(tmpdir(), "fanout-e2e-"))));
    await mkdir(place.home);
    await mkdir(place.folder);
    return place;
  }

  /** The same with a worker, for tests that differ only in the run they make. */
  static async withWorker(): Promise<Workplace> {
    const place = await Workplace.make();
    await place.start("worker --port 0").says(/Connected to/u);
    return place;
  }

  get socket(): string {
    return join(this.stateFolder, "emulator.sock");
  }

  /** Where the emulator is reached: as the tests were told, which the commands are told too. */
  get door(): { readonly socket: string; readonly loopback: string | undefined } {
    const loopback = usesLoopback(process.env) ? join(this.stateFolder, "emulator.loopback") : undefined;
    return { socket: this.socket, loopback };
  }

  /** All that a command is told about its surroundings. */
  get env(): Readonly<Record<string, string>> {
    return {
      PATH: process.env["PATH"] ?? "",
      HOME: this.home,
      TERM: "xterm-256color",
      FANOUT_STATE_DIR: this.stateFolder,
      NODE_COMPILE_CACHE: COMPILED,
      ...(process.env[DOOR_VARIABLE] !== undefined && { [DOOR_VARIABLE]: process.env[DOOR_VARIABLE] }),
    };
  }

  /** Starts `fanout` with arguments as in `run --iterations 3`, and more of them that may hold spaces. */
  start(line: string, ...more: readonly string[]): FanoutProcess {
    return this.startProgram(process.execPath, [FANOUT, ...line.split(" "), ...more]);
  }

  /** Starts `fanout` with these variables in place of the usual ones. */
  startWith(env: NodeJS.ProcessEnv, line: string): FanoutProcess {
    return this.startProgram(process.execPath, [FANOUT, ...line.split(" ")], env);
  }

  startProgram(command: string, args: readonly string[], env: NodeJS.ProcessEnv = this.env): FanoutProcess {
    const started = new FanoutProcess(command, args, { cwd: this.folder, env });
    this.#started.push(started);
    return started;
  }

  /** Starts `fanout` on a terminal of its own, whose name it says first. What is pressed there arrives as from a keyboard. */
  startOnTerminal(line: string, columns = 100, env: NodeJS.ProcessEnv = this.env): FanoutProcess {
    const command = `tty; stty cols ${columns} rows 30; exec '${process.execPath}' '${FANOUT}' ${line}`;
    return this.startProgram("script", ["-qfec", command, "/dev/null"], env);
  }

  /**
   * Runs `fanout` to its end in this process, as built, one command at a time. A process of its own costs half a second of
   * CPU, and shows more only of signals, keys, and what a command holds until its process ends: `start` gives it one.
   */
  run(line: string, ...more: readonly string[]): Promise<EndedHere> {
    return this.runWith({}, line, ...more);
  }

  /** The same with more variables in its environment. */
  async runWith(env: NodeJS.ProcessEnv, line: string, ...more: readonly string[]): Promise<EndedHere> {
    if (HOLDS_THE_LOCK.test(line)) return this.#runProcess({ ...this.env, ...env }, line);
    const { runProgram } = (await import(PROGRAM)) as { runProgram: typeof RunProgram };
    const io = { stdout: new Heard(), stderr: new Heard() };
    const lent = lend(line, { ...this.env, ...env }, this.folder);
    try {
      const code = await runProgram([...(line === "" ? [] : line.split(" ")), ...more], io);
      return { code, signal: null, stdout: io.stdout.text, stderr: io.stderr.text };
    } finally {
      lent.end();
    }
  }

  async #runProcess(env: NodeJS.ProcessEnv, line: string): Promise<EndedHere> {
    const ended = await this.startWith(env, line).ended;
    if (ended.code === null) throw new Error(`Expected \`fanout ${line}\` to exit, found ${JSON.stringify(ended)}`);
    return { ...ended, code: ended.code };
  }

  /** Runs `fanout` to its end, which has to be a good one, and returns it. */
  async succeed(line: string, ...more: readonly string[]): Promise<EndedHere> {
    const ended = await this.run(line, ...more);
    if (ended.code !== 0) throw new Error(`Expected \`fanout ${line}\` to end with 0, found ${JSON.stringify(ended)}`);
    return ended;
  }

  /** What the emulator says of itself, asked over its socket: a process that asks takes a hundred times as long. */
  async emulatorStatus(): Promise<z.output<typeof emulatorStatus>> {
    const admin = new AdminConnection(new EmulatorDoor(this.door));
    try {
      const status = await admin.status();
      return emulatorStatus.parse(status ? { running: true, ...status } : { running: false, folder: this.stateFolder });
    } finally {
      admin.close();
    }
  }

  async runningEmulator(): Promise<RunningEmulator> {
    const status = await this.emulatorStatus();
    if (!status.running) throw new Error("Expected a running emulator, found none");
    return status;
  }

  /** Ends what was started here, whoever started it, and leaves nothing behind. */
  async close(): Promise<void> {
    // Of a test that took too long.
    running?.end();
    for (const started of this.#started) if (started.running) started.kill("SIGKILL");
    // Where no processes can be seen; elsewhere a kill is over sooner than a process that asks for it.
    if (!canSeeProcesses) await this.run("emulator stop");
    // Workers of a run that was killed may still be draining, and would start the emulator again to do so.
    for (let pids = processesOf(this.root); pids.length > 0; pids = processesOf(this.root)) {
      for (const pid of pids) killIfThere(pid);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    // Behind those that it has started in its turn, which may hold its output open.
    await Promise.all(this.#started.map(({ ended }) => ended));
    await rm(this.root, { recursive: true, force: true });
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}
