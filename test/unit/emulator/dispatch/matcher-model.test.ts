import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { WorkKind } from "../../../../src/emulator/dispatch/work.js";
import { Worker, type WorkerOptions } from "../../../../src/emulator/dispatch/worker.js";
import { SendingMatcher, hold, homeless, type TestItem } from "../../../support/emulator/sending-matcher.js";

const KINDS = ["episode", "activity"] as const;
const NAMES = ["a", "b", "c"] as const;

interface Traits {
  /** Names that it takes; undefined takes all. */
  readonly names: readonly string[] | undefined;
  readonly limit: number | undefined;
}

type Step =
  | { readonly do: "enqueue"; readonly kind: WorkKind; readonly name: string; readonly instance: number }
  | { readonly do: "join"; readonly traits: Traits }
  | { readonly do: "complete" | "leave" | "fill" | "drain" | "give back" | "end"; readonly pick: number };

const TAKES_ALL: Traits = { names: undefined, limit: undefined };

const traits: fc.Arbitrary<Traits> = fc.oneof(
  fc.constant(TAKES_ALL),
  fc.record({
    names: fc.option(fc.subarray([...NAMES]), { nil: undefined }),
    limit: fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constant("enqueue" as const),
      kind: fc.constantFrom(...KINDS),
      name: fc.constantFrom(...NAMES),
      instance: fc.nat(3),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("join" as const), traits }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom("complete", "leave", "fill", "drain", "give back", "end"),
      pick: fc.nat(1_000),
    }),
  },
);

interface Item {
  readonly id: number;
  readonly instance: number;
  readonly kind: WorkKind;
  readonly name: string;
  state: "waiting" | "sent" | "done" | "over";
}

interface Member {
  readonly traits: Traits;
  readonly worker: Worker;
  readonly holds: Set<Item>;
  full: boolean;
}

/** A matcher beside a plain account of what it was given and what it has sent. */
class Model {
  readonly matcher = new SendingMatcher();
  readonly instances = Array.from({ length: 4 }, homeless);
  readonly members: Member[] = [];
  /** What workers have been sent and not completed. */
  readonly #held: { readonly item: Item; readonly member: Member; readonly release: () => void }[] = [];
  #items: Item[] = [];
  #ids = 0;

  /** In order. */
  get waiting(): readonly Item[] {
    return this.#items.filter(({ state }) => state === "waiting");
  }

  enqueue(kind: WorkKind, name: string, instance: number): void {
    const item: Item = { id: (this.#ids += 1), instance, kind, name, state: "waiting" };
    this.#items.push(item);
    this.matcher.enqueue(this.#readyItem(item, this.instances[instance]!));
  }

  join(traits: Traits): Member {
    const { names, limit } = traits;
    const versions = new Map(names?.map((name) => [name, new Set<string>()]));
    const options: WorkerOptions = {
      id: `${this.members.length}`,
      stream: { write: () => !member.full, end: () => {} },
      connectionItems: new Set(),
      limits: limit === undefined ? {} : { episode: limit, activity: limit },
      filters: names && { episode: versions, activity: versions },
    };
    const member: Member = { traits, worker: new Worker(options), holds: new Set(), full: false };
    this.members.push(member);
    this.matcher.addWorker(member.worker);
    return member;
  }

  take(one: Step): void {
    if (one.do === "enqueue") {
      this.enqueue(one.kind, one.name, one.instance);
    } else if (one.do === "join") {
      this.join(one.traits);
    } else if (one.do === "complete" || one.do === "give back") {
      this.#release(one.pick, one.do === "give back");
    } else if (one.do === "end") {
      const { waiting } = this;
      const item = waiting[one.pick % waiting.length];
      if (item !== undefined) item.state = "over";
    } else {
      this.#change(this.members[one.pick % this.members.length], one.do);
    }
    if (one.do !== "drain") this.matcher.pump();
  }

  /** What of the waiting items is the first that some worker takes now. */
  get sendable(): Item | undefined {
    return this.waiting.find((item) => this.members.some((member) => this.#takes(member, item)));
  }

  #takes({ traits: { names, limit }, worker, holds }: Member, { kind, name }: Item): boolean {
    const held = [...holds].filter((item) => item.kind === kind).length;
    return worker.hasRoomFor(kind) && (names?.includes(name) ?? true) && held < (limit ?? Infinity);
  }

  #readyItem(item: Item, instance: TestItem["instance"]): TestItem {
    const { kind, name } = item;
    const weight = kind === "activity" ? 1 : 0;
    const encode = (worker: Worker): Uint8Array => {
      expect(item.state, "not over").not.toBe("over");
      const member = this.members.find((each) => each.worker === worker)!;
      expect(item.state, "sent once").toBe("waiting");
      expect(this.#takes(member, item), "by a worker that takes it now").toBe(true);
      const first = this.waiting.find((each) => isAlike(each, item));
      expect(item, "the first of its instance and its name").toBe(first);
      item.state = "sent";
      member.holds.add(item);
      this.#held.push({ item, member, release: hold(worker, kind) });
      return Buffer.from(name);
    };
    return { instance, kind, weight, work: { name, version: "" }, isOver: () => item.state === "over", encode };
  }

  #release(pick: number, again: boolean): void {
    const [released] = this.#held.splice(pick % Math.max(1, this.#held.length), 1);
    if (released === undefined) return;
    const { item, member } = released;
    member.holds.delete(item);
    released.release();
    item.state = "done";
    if (again) this.enqueue(item.kind, item.name, 0);
  }

  #change(member: Member | undefined, change: "leave" | "fill" | "drain"): void {
    if (member === undefined) return;
    if (change === "leave") {
      this.members.splice(this.members.indexOf(member), 1);
      this.matcher.removeWorker(member.worker);
    } else {
      member.full = change === "fill";
      if (change === "drain") this.matcher.unblock(member.worker);
    }
  }
}

function isAlike(one: Item, other: Item): boolean {
  return one.instance === other.instance && one.kind === other.kind && one.name === other.name;
}

test("what becomes ready is sent once, in order, as soon as a worker takes it, and to no more than it takes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const model = new Model();
      for (const one of steps) {
        model.take(one);
        expect(model.sendable, "waits though it could be sent").toBeUndefined();
        for (const kind of KINDS)
          expect(model.matcher.countWaiting(kind)).toBe(model.waiting.filter((item) => item.kind === kind).length);
      }
      model.join(TAKES_ALL);
      model.matcher.pump();
      expect(model.waiting).toEqual([]);
    }),
    { numRuns: 2_000 },
  );
});
