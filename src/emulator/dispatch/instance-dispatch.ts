import { invariant } from "../../invariant.js";
import type { Cancel } from "../clock/system-time.js";
import type { Worker } from "./worker.js";

/**
 * Where the next episode of an instance is: nowhere, waiting for a worker, with one, or completed by one and not on disk
 * yet.
 *
 *     idle -> ready -> leased -> settling -> idle
 *     ready -> idle: it was suspended while it waited
 *     leased -> idle: its worker gives it back, or is gone
 */
type EpisodeState = "idle" | "ready" | "leased" | "settling";

/** What waits for a worker, where the episode is ready. */
interface ReadyEpisode {
  /** Set where it is the first one of its instance, which may have to wait for others. */
  readonly newcomer: "root" | "child" | undefined;
}

/** What the dispatch knows of one instance, and the only place where that changes. */
export class InstanceDispatch {
  #episode: EpisodeState = "idle";
  #ready: ReadyEpisode | undefined;

  #home: Worker | undefined;
  #lastPlace = 0;
  /** The worker of the last episode, if it remembers, and how many bytes of the history it has. */
  #remembered: { readonly worker: Worker; readonly bytes: number } | undefined;

  #holdMs = 0;
  /** When the first activity result that no episode has taken was on disk, milliseconds of the steady clock. */
  #heldSinceMs: number | undefined;
  #cancelHold: Cancel | undefined;
  /** Whether something is on disk and waits that is not held. */
  #urgent = false;

  // The episode.

  get isIdle(): boolean {
    return this.#episode === "idle";
  }

  /** Whether its first episode waits for a worker, and perhaps for other instances. */
  get isNewcomer(): boolean {
    return this.#ready?.newcomer !== undefined;
  }

  /** Whether that is what waits for a worker, and not something that has taken its place. */
  isReadyAs(item: ReadyEpisode): boolean {
    return this.#ready === item;
  }

  /** The episode waits for a worker. One that has to wait for other instances may be replaced by one that has not. */
  makeReady(item: ReadyEpisode): void {
    invariant(this.#episode === "idle" || this.isNewcomer, "An instance has one episode at a time.");
    this.stopHolding();
    this.#episode = "ready";
    this.#ready = item;
  }

  /** It waits no more, and nobody has it. */
  withdraw(item: ReadyEpisode): void {
    this.#leaveQueue(item);
    this.#episode = "idle";
  }

  /** A worker gets it, with all that is on disk. */
  lease(item: ReadyEpisode): void {
    this.#leaveQueue(item);
    this.#episode = "leased";
    this.#urgent = false;
    this.#heldSinceMs = undefined;
  }

  /** A worker has it since before the instance was read from the store again. */
  resumeLease(): void {
    invariant(this.#episode === "idle", "An instance has one episode at a time.");
    this.#episode = "leased";
  }

  /** Its worker has completed it. */
  complete(): void {
    invariant(this.#episode === "leased", "Only an episode that a worker has is completed.");
    this.#episode = "settling";
  }

  /** Its completion is on disk. */
  settle(): void {
    invariant(this.#episode === "settling", "Only an episode that was completed comes to the disk.");
    this.#episode = "idle";
  }

  /** It comes back undone. It is not known how far its worker came, and what that kept of the history. */
  giveBack(): void {
    invariant(this.#episode === "leased", "Only an episode that a worker has is given back.");
    this.#episode = "idle";
    this.#urgent = true;
    this.#remembered = undefined;
  }

  #leaveQueue(item: ReadyEpisode): void {
    invariant(this.#episode === "ready" && this.#ready === item, "Only the episode that is ready is sent.");
    this.#ready = undefined;
  }

  // Holding: results of activities wait for others like them, all else is urgent.

  get holdMs(): number {
    return this.#holdMs;
  }

  /** How long it holds episodes back from here on. */
  holdFor(ms: number): void {
    this.#holdMs = ms;
  }

  get isUrgent(): boolean {
    return this.#urgent;
  }

  /** An event is on disk and waits. */
  eventArrived(isResult: boolean, nowMs: number): void {
    if (isResult) this.#heldSinceMs ??= nowMs;
    else this.#urgent = true;
  }

  /** How much longer the results that wait are held, milliseconds. */
  leftToHoldMs(nowMs: number): number {
    if (this.#urgent || this.#heldSinceMs === undefined) return 0;

    return Math.max(0, this.#heldSinceMs + this.#holdMs - nowMs);
  }

  /** It is looked at again when it has held long enough; `set` sets the timer, unless there is one. */
  holdUntil(set: () => Cancel): void {
    this.#cancelHold ??= set();
  }

  /** The timer has gone off, or it need not any more. */
  stopHolding(): void {
    this.#cancelHold?.();
    this.#cancelHold = undefined;
  }

  // The home worker, and what it remembers.

  get home(): Worker | undefined {
    return this.#home;
  }

  moveHome(worker: Worker): void {
    this.leaveHome();
    this.#home = worker;
    worker.house(1);
  }

  leaveHome(): void {
    this.#home?.house(-1);
    this.#home = undefined;
  }

  /** Bytes of the history that this worker has. */
  bytesKnownTo(worker: Worker): number {
    return this.#remembered?.worker === worker ? this.#remembered.bytes : 0;
  }

  remember(worker: Worker, bytes: number): void {
    this.#remembered = { worker, bytes };
  }

  /** The place of its next activity, counted in activities: behind its last one, and at least that place. */
  nextPlace(first: number): number {
    this.#lastPlace = Math.max(this.#lastPlace, first) + 1;
    return this.#lastPlace;
  }

  // The instance.

  /** Its next execution begins, which no worker knows anything of. */
  restart(): void {
    this.#urgent = false;
    this.#heldSinceMs = undefined;
    this.#remembered = undefined;
  }

  /** It gets nothing more. */
  stop(): void {
    this.stopHolding();
    this.leaveHome();
  }
}
