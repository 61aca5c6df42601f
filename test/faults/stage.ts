import { once } from "node:events";
import { join } from "node:path";
import { ClientLogFile } from "./client-log.js";
import { CuttingProxy } from "./cutting-proxy.js";
import type { EmulatorArguments, EmulatorOrder } from "./emulator-main.js";
import { MovableClock } from "../support/movable-clock.js";
import type { Flaw } from "./flaws.js";
import type { Plan } from "./plan.js";
import { isReady, startActor, type Actor, type Role, type Understudies } from "./understudies.js";
import type { ClientOrder } from "./client-main.js";
import type { WorkerOrder } from "./worker-main.js";

/** The processes of one seed, and what stands between them. */
export class Stage {
  readonly folder: string;
  readonly plan: Plan;
  /** Of the emulator itself, with nothing in between. */
  readonly socket: string;
  readonly log: ClientLogFile;
  readonly clock: MovableClock | undefined;
  /** What happened, in order, with the milliseconds since the beginning. */
  readonly told: string[] = [];
  /** What no process may do. */
  readonly failures: string[] = [];
  readonly clientDone: Promise<void>;
  emulator!: Actor;
  proxies!: Readonly<Record<"client" | "worker", CuttingProxy>>;

  readonly #understudies: Understudies;
  readonly #flaw: Flaw | undefined;
  readonly #startedMs = performance.now();
  readonly #workers: Actor[] = [];
  readonly #actors: Actor[] = [];
  /** Those that a fault has ended, or the end of the seed. */
  readonly #expectedEnds = new Set<Actor>();
  readonly #acknowledged = new Set<string>();
  readonly #steps: number;
  #client!: Actor;
  #onClientDone!: () => void;
  #onProgress: () => void = () => {};
  readonly #turns: Partial<Record<Role, Promise<void>>> = {};

  constructor(plan: Plan, folder: string, understudies: Understudies, flaw?: Flaw) {
    this.plan = plan;
    this.folder = folder;
    this.socket = join(folder, "emulator.sock");
    this.log = new ClientLogFile(join(folder, "client.log"));
    this.clock = plan.faults.some(({ kind }) => kind === "moveClock") ? new MovableClock(folder) : undefined;
    this.#understudies = understudies;
    this.#flaw = flaw;
    this.#steps = plan.scripts.reduce((sum, { steps }) => sum + steps.length, 0);
    this.clientDone = new Promise((resolve) => {
      this.#onClientDone = resolve;
    });
  }

  async open(): Promise<void> {
    this.proxies = {
      client: await CuttingProxy.listen(join(this.folder, "client.sock"), this.socket),
      worker: await CuttingProxy.listen(join(this.folder, "worker.sock"), this.socket),
    };
    await this.startEmulator();
    await Promise.all(this.plan.workers.map((_, place) => this.startWorker(place)));
    await this.startClient();
  }

  say(text: string): void {
    this.told.push(`${Math.round(performance.now() - this.#startedMs)} ms: ${text}`);
  }

  /** Starts the emulator; false, with what it says on the last actor, if it does not start. */
  async tryEmulator(): Promise<boolean> {
    const options: EmulatorArguments = {
      folder: this.folder,
      checkpointPages: this.plan.checkpointPages,
      diskMs: this.plan.diskMs,
      flaw: this.#flaw,
    };
    this.emulator = startActor("emulator", { argument: JSON.stringify(options), env: this.clock?.env ?? {} });
    this.#actors.push(this.emulator);
    return await isReady(this.emulator);
  }

  async startEmulator(): Promise<void> {
    if (!(await this.tryEmulator())) throw new Error(`The emulator does not start: ${this.emulator.said.join("\n")}`);

    this.#watch("emulator", this.emulator);
  }

  /** What ends and starts processes of a role goes one after the other, so that there are never more of them. */
  async inTurn(role: Role, action: () => Promise<void>): Promise<void> {
    const turn = (this.#turns[role] ?? Promise.resolve()).then(action);
    this.#turns[role] = turn;
    await turn;
  }

  /** Resolves when the emulator is not about to start: on a disk that takes nothing it cannot. */
  async emulatorRuns(): Promise<void> {
    await this.#turns.emulator;
  }

  async startWorker(place: number): Promise<void> {
    const worker = await this.#understudies.take("worker");
    worker.child.on("message", ({ violation }: { violation?: string }) => {
      if (violation !== undefined) this.failures.push(`a worker was sent too much: ${violation}`);
    });
    worker.child.send({
      socket: join(this.folder, "worker.sock"),
      transport: this.plan.workers[place]!,
      choice: this.plan.choice,
    } satisfies WorkerOrder);
    this.#workers[place] = worker;
    this.#watch("worker", worker);
  }

  async startClient(): Promise<void> {
    const client = await this.#understudies.take("client");
    this.#client = client;
    client.child.on("message", ({ acknowledged }: { acknowledged?: string }) => {
      if (acknowledged !== undefined) this.#acknowledged.add(acknowledged);
      this.#onProgress();
    });
    client.child.once("exit", (code) => {
      if (code === 0) {
        this.#expectedEnds.add(client);
        this.#onClientDone();
      }
    });
    client.child.send({
      socket: join(this.folder, "client.sock"),
      logFile: join(this.folder, "client.log"),
      scripts: this.plan.scripts,
    } satisfies ClientOrder);
    this.#watch("client", client);
  }

  worker(place: number): Actor {
    return this.#workers[place]!;
  }

  get client(): Actor {
    return this.#client;
  }

  order(order: EmulatorOrder): void {
    // It may have been killed a moment ago.
    if (this.emulator.child.connected) this.emulator.child.send(order, () => {});
  }

  /** A fault is about to end it. */
  expectEnd(actor: Actor): void {
    this.#expectedEnds.add(actor);
  }

  /** Ends a process as a crash does. */
  async kill(actor: Actor): Promise<void> {
    this.expectEnd(actor);
    actor.child.kill("SIGKILL");
    await actor.ended;
  }

  /** Ends the emulator as a person does. */
  async stopEmulator(): Promise<void> {
    this.#expectedEnds.add(this.emulator);
    const exited = once(this.emulator.child, "exit");
    this.emulator.child.kill("SIGTERM");
    const [code] = (await exited) as [number | null];
    if (code !== 0) this.failures.push(`the emulator was asked to stop and ended with ${code}`);
  }

  /** Resolves when clients have been told of that part of what they ask for, when that takes too long, or at their end. */
  async reach(part: number, patienceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const look = (): void => {
      if (this.#acknowledged.size >= part * this.#steps) resolve();
    };
    this.#onProgress = look;
    look();
    const timer = setTimeout(resolve, patienceMs);
    await Promise.race([promise, this.clientDone]);
    clearTimeout(timer);
    this.#onProgress = () => {};
  }

  /** What the processes have said last. */
  said(): string[] {
    return this.#actors.flatMap(({ child, said }) => said.map((line) => `[${child.pid}] ${line}`)).slice(-60);
  }

  async close(): Promise<void> {
    await Promise.all(this.#actors.map((actor) => this.kill(actor)));
    this.proxies.client.close();
    this.proxies.worker.close();
  }

  #watch(role: Role, actor: Actor): void {
    if (!this.#actors.includes(actor)) this.#actors.push(actor);
    void actor.ended.then(() => {
      if (!this.#expectedEnds.has(actor)) {
        const { exitCode, signalCode } = actor.child;
        this.failures.push(`a ${role} ended by itself: ${exitCode ?? signalCode}, ${actor.said.slice(-5).join(" | ")}`);
      }
    });
  }
}
