import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Status, isTerminal } from "../../../src/protocol/orchestration-status.js";
import type { Store } from "../../../src/emulator/store/store.js";
import { bytes, episode, framed, newInstance } from "./store-contract.js";

/** What a store may be asked to change of the instance of an id, if it is there. */
type Change =
  | { readonly kind: "insert"; readonly tags: number; readonly parent: boolean }
  | { readonly kind: "wait" | "suspend" | "reopen" | "rewind" | "restart" | "delete" }
  | { readonly kind: "episode"; readonly processes: number; readonly ends: boolean; readonly trace: boolean };

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.record({ kind: fc.constant("insert" as const), tags: fc.nat({ max: 2 }), parent: fc.boolean() }),
  fc.record({ kind: fc.constantFrom("wait", "suspend", "reopen", "rewind", "restart", "delete") }),
  fc.record({
    kind: fc.constant("episode" as const),
    processes: fc.nat({ max: 3 }),
    ends: fc.boolean(),
    trace: fc.boolean(),
  }),
);

/** An instance as the store is to have it. */
interface Model {
  readonly key: number;
  status: number;
  executionId: string;
  completedUs: number;
  tags: string[];
  readonly parentId: string | undefined;
  parent: string | undefined;
  trace: string | undefined;
  failure: string | undefined;
  nextHistorySeq: number;
  history: string[];
  waiting: { seq: number; event: string }[];
}

const IDS = ["a", "b", "c"] as const;

/** A store is what a plain map of instances is, whatever is done to it. */
export function storeModelContract(name: string, open: () => Promise<Store>): void {
  describe(name, () => {
    test("has after any changes what a map would have", async () => {
      const store = await open();
      const changes = fc.array(fc.tuple(fc.constantFrom(...IDS), change), { maxLength: 40 });
      fc.assert(
        fc.property(changes, (all) => {
          store.begin();
          try {
            const models = new Map<string, Model>();
            for (const [step, [id, wanted]] of all.entries()) {
              apply(store, models, id, wanted, step + 1);
              for (const each of IDS) expect(inStore(store, each)).toEqual(inModel(models.get(each)));
              expect(store.instanceCount()).toBe(models.size);
              expect(childrenInStore(store)).toEqual(childrenOf(models));
              expect([...store.active()]).toEqual(activeKeys(models).map((key) => store.activeOne(key)));
            }
          } finally {
            store.rollback();
          }
        }),
        { numRuns: 60 },
      );
      store.close();
    });
  });
}

/** Does the same to both. `step` makes each change another one, and is the time. */
function apply(store: Store, models: Map<string, Model>, id: string, change: Change, step: number): void {
  const model = models.get(id);
  if (change.kind === "insert") {
    const tags = Array.from({ length: change.tags }, (_, n) => `tag ${step}.${n}`);
    const [parentId, parent] = change.parent ? ["parent", `info ${step}`] : [];
    const row = { instanceId: id, tags: tags.map(bytes), parentId, parent: optional(parent) };
    const key = store.insertInstance(newInstance(row));
    expect(key === undefined).toBe(model !== undefined);
    if (key !== undefined) {
      models.set(id, {
        key,
        status: Status.Pending,
        executionId: "first",
        completedUs: 0,
        tags,
        parentId,
        parent,
        trace: undefined,
        failure: undefined,
        nextHistorySeq: 0,
        history: [],
        waiting: [],
      });
    }
    return;
  }
  if (model === undefined) return;
  const { key } = model;
  if (change.kind === "delete") {
    store.deleteInstance(key);
    models.delete(id);
  } else if (isTerminal(model.status)) {
    if (change.kind === "reopen") {
      store.reopen(key, step);
      Object.assign(model, { status: Status.Running, completedUs: 0, failure: undefined });
    }
  } else if (change.kind === "wait") {
    const waiting = { seq: step, event: `event ${step}` };
    store.appendWaiting(key, { seq: step, event: bytes(waiting.event) });
    model.waiting.push(waiting);
  } else if (change.kind === "suspend") {
    store.setStatus(key, Status.Suspended, step);
    model.status = Status.Suspended;
  } else if (change.kind === "rewind") {
    const executionId = `rewound ${step}`;
    const history = framed(executionId);
    store.rewind(key, { executionId, history, parent: bytes("new"), tasksCompleted: 0, updatedUs: step });
    const events = { history: [executionId], waiting: [], nextHistorySeq: 1 };
    Object.assign(model, { ...events, executionId, parent: "new", trace: undefined });
  } else if (change.kind === "restart") {
    const next = { executionId: `next ${step}`, status: Status.Running };
    const nothing = { version: undefined, input: undefined, customStatus: undefined };
    store.restart(key, { ...next, ...nothing, tasksCompleted: 0, updatedUs: step, tags: [bytes(`tag ${step}`)] });
    const events = { history: [], waiting: [], nextHistorySeq: 0 };
    Object.assign(model, { ...next, ...events, tags: [`tag ${step}`], trace: undefined });
  } else if (change.kind === "episode") {
    applyEpisode(store, model, change, step);
  }
}

function applyEpisode(store: Store, model: Model, change: Extract<Change, { kind: "episode" }>, step: number): void {
  const taken = model.waiting.slice(0, change.processes);
  const events = [...taken.map(({ event }) => event), `episode ${step}`];
  const [status, completedUs, failure] = change.ends ? [Status.Failed, step, `why ${step}`] : [Status.Running, 0];
  const trace = change.trace ? `trace ${step}` : undefined;
  store.applyEpisode(
    model.key,
    episode({
      processedSeq: taken.at(-1)?.seq ?? 0,
      historySeq: model.nextHistorySeq,
      history: framed(...events),
      status,
      completedUs,
      updatedUs: step,
      failure: optional(failure),
      trace: optional(trace),
    }),
  );
  model.history.push(...events);
  model.waiting = change.ends ? [] : model.waiting.slice(taken.length);
  model.nextHistorySeq += 1;
  Object.assign(model, { status, completedUs, failure, trace: trace ?? model.trace });
}

function inStore(store: Store, id: string): unknown {
  const row = store.find("hub", id, true);
  if (row === undefined) return undefined;
  const active = store.activeOne(row.key);
  return {
    key: row.key,
    status: row.status,
    executionId: row.executionId,
    completedUs: row.completedUs,
    tags: row.tags.map(textOf),
    parentId: row.parentId,
    parent: row.parent && textOf(row.parent),
    trace: row.trace && textOf(row.trace),
    failure: row.failure && textOf(row.failure),
    nextHistorySeq: active.nextHistorySeq,
    history: store.history(row.key).map(textOf),
    waiting: active.waiting.map(({ seq, event }) => ({ seq, event: textOf(event) })),
    waitingTexts: store.waiting(row.key).map(textOf),
  };
}

function inModel(model: Model | undefined): unknown {
  return model && { ...model, waitingTexts: model.waiting.map(({ event }) => event) };
}

function childrenInStore(store: Store): number[] {
  return store
    .childrenOf("hub", "parent")
    .map(({ key }) => key)
    .toSorted((a, b) => a - b);
}

function childrenOf(models: ReadonlyMap<string, Model>): number[] {
  const children = [...models.values()].filter(({ parentId }) => parentId === "parent");
  return children.map(({ key }) => key).toSorted((a, b) => a - b);
}

/** Keys of what is in flight, in the order of ids. */
function activeKeys(models: ReadonlyMap<string, Model>): number[] {
  return IDS.flatMap((id) => models.get(id) ?? [])
    .filter(({ completedUs }) => completedUs === 0)
    .map(({ key }) => key);
}

function optional(text: string | undefined): Uint8Array | undefined {
  return text === undefined ? undefined : bytes(text);
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString();
}
