import { RpcError } from "../../dist/protocol/rpc-error.js";
import { Status } from "../../dist/protocol/orchestration-status.js";
import type { StringValueBytes } from "../../dist/protocol/wire.js";

/** The delay in milliseconds of the n-th instance, counted from 0. */
export type DelayOf = (number: number) => number;

/** What instances have in common that were started with the same input. */
export interface Work {
  readonly name: string;
  readonly input: StringValueBytes | undefined;
  readonly output: StringValueBytes | undefined;
}

export interface Instance {
  readonly id: string;
  readonly work: Work;
  readonly createdUs: number;
  readonly delayMs: number;
  status: number;
  /** 0 while it runs. */
  endedUs: number;
  /** In the order in which instances ended. */
  endNumber: number;
  /** Only of one that was terminated. */
  reason: StringValueBytes | undefined;
  purged: boolean;
  /** Most have none: a million empty sets would be the larger part of the memory. */
  waiting: Set<() => void> | undefined;
}

export interface DelayedInstancesOptions {
  /** Microseconds since the epoch; it never falls. */
  readonly clockUs: () => number;
  readonly delayOf: DelayOf;
  /** Throws an RpcError for a start that is to be refused. */
  readonly beforeStart?: (() => void) | undefined;
  /** Told of each that has completed, and not of one that was terminated. */
  readonly onCompleted: (instance: Instance) => void;
}

/** The instances, by id, by the order of their ids, and by the order in which they ended. */
export class DelayedInstances {
  readonly #byId = new Map<string, Instance>();
  readonly #wheel = new TimingWheel<Instance>((instance) => this.#complete(instance));
  readonly #clockUs: () => number;
  readonly #delayOf: DelayOf;
  readonly #onCompleted: (instance: Instance) => void;
  readonly #beforeStart: (() => void) | undefined;
  #sorted: Instance[] = [];
  #ended: Instance[] = [];
  #started = 0;
  #endNumber = 0;

  constructor({ clockUs, delayOf, beforeStart, onCompleted }: DelayedInstancesOptions) {
    this.#beforeStart = beforeStart;
    this.#clockUs = clockUs;
    this.#delayOf = delayOf;
    this.#onCompleted = onCompleted;
  }

  /** Throws an RpcError, ALREADY_EXISTS or NOT_FOUND, as `terminate` does. */
  start(id: string, work: Work): void {
    if (this.#byId.has(id)) throw new RpcError("ALREADY_EXISTS", `The instance '${id}' is there already.`);
    this.#beforeStart?.();
    const instance: Instance = {
      id,
      work,
      createdUs: this.#clockUs(),
      delayMs: this.#delayOf(this.#started),
      status: Status.Running,
      endedUs: 0,
      endNumber: 0,
      reason: undefined,
      purged: false,
      waiting: undefined,
    };
    this.#started += 1;
    this.#byId.set(id, instance);
    this.#insert(instance);
    this.#wheel.add(instance, instance.delayMs);
  }

  find(id: string): Instance | undefined {
    return this.#byId.get(id);
  }

  /** Calls back once the instance has ended; returns what cancels that. */
  whenEnded(instance: Instance, callback: () => void): () => void {
    if (instance.endedUs > 0) {
      callback();
      return () => {};
    }
    const waiting = (instance.waiting ??= new Set());
    waiting.add(callback);
    return () => waiting.delete(callback);
  }

  terminate(id: string, reason: StringValueBytes | undefined): void {
    const instance = this.#byId.get(id);
    if (instance === undefined) throw new RpcError("NOT_FOUND", `There is no instance '${id}'.`);
    if (instance.endedUs > 0) return;
    instance.reason = reason;
    this.#end(instance, Status.Terminated);
  }

  /** Deletes those that have ended; returns how many. */
  purge(ids: readonly string[]): number {
    const purged = ids.flatMap((id) => this.#byId.get(id) ?? []).filter(({ endedUs }) => endedUs > 0);
    for (const instance of purged) instance.purged = this.#byId.delete(instance.id);
    this.#sorted = this.#sorted.filter(({ purged }) => !purged);
    this.#ended = this.#ended.filter(({ purged }) => !purged);
    return purged.length;
  }

  /** In the order of their ids, those behind `afterId`. */
  *withPrefix(prefix: string, afterId: string): Iterable<Instance> {
    const from = firstIndex(this.#sorted, ({ id }) => id >= prefix && id > afterId);
    for (let at = from; at < this.#sorted.length; at += 1) {
      const instance = this.#sorted[at]!;
      if (!instance.id.startsWith(prefix)) return;
      yield instance;
    }
  }

  /** In the order in which they ended, those behind `afterNumber`. */
  *endedFrom(fromUs: number, afterNumber: number): Iterable<Instance> {
    const from = firstIndex(this.#ended, ({ endedUs, endNumber }) => endedUs >= fromUs && endNumber > afterNumber);
    for (let at = from; at < this.#ended.length; at += 1) yield this.#ended[at]!;
  }

  #insert(instance: Instance): void {
    // Ids of a run ascend, so that most belong at the end.
    const isLast = (this.#sorted.at(-1)?.id ?? "") < instance.id;
    const at = isLast ? this.#sorted.length : firstIndex(this.#sorted, ({ id }) => id > instance.id);
    this.#sorted.splice(at, 0, instance);
  }

  #complete(instance: Instance): void {
    if (instance.endedUs > 0) return;
    this.#end(instance, Status.Completed);
    this.#onCompleted(instance);
  }

  #end(instance: Instance, status: number): void {
    this.#endNumber += 1;
    instance.status = status;
    instance.endedUs = this.#clockUs();
    instance.endNumber = this.#endNumber;
    this.#ended.push(instance);
    for (const wake of instance.waiting ?? []) wake();
    instance.waiting = undefined;
  }
}

/** Hands each value on when it is due, to the next millisecond: one timer for all of them. */
class TimingWheel<T> {
  readonly #slots = new Map<number, T[]>();
  readonly #onDue: (value: T) => void;
  #nextSlot = 0;

  constructor(onDue: (value: T) => void) {
    this.#onDue = onDue;
  }

  add(value: T, afterMs: number): void {
    const nowMs = performance.now();
    if (this.#slots.size === 0) {
      this.#nextSlot = Math.floor(nowMs);
      setTimeout(() => this.#turn(), 1);
    }
    const slot = Math.ceil(nowMs + afterMs);
    const values = this.#slots.get(slot);
    if (values) values.push(value);
    else this.#slots.set(slot, [value]);
  }

  #turn(): void {
    for (const nowMs = performance.now(); this.#nextSlot <= nowMs; this.#nextSlot += 1) {
      for (const value of this.#slots.get(this.#nextSlot) ?? []) this.#onDue(value);
      this.#slots.delete(this.#nextSlot);
    }
    if (this.#slots.size > 0) setTimeout(() => this.#turn(), 1);
  }
}

/** Of the first element that holds, where all behind it do too; the length where none does. */
function firstIndex<T>(sorted: readonly T[], holds: (element: T) => boolean): number {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(sorted[middle]!)) to = middle;
    else from = middle + 1;
  }
  return from;
}
