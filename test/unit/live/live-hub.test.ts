import * as fc from "fast-check";
import { expect, test } from "vitest";
import { LiveHub, type Viewer } from "../../../src/live/live-hub.js";
import type { LiveInterval, LiveUpdate } from "../../../src/live/live-update.js";

class TestViewer implements Viewer {
  backlogBytes = 0;
  isDropped = false;
  isEnded = false;
  readonly texts: string[] = [];

  send(text: string): void {
    this.texts.push(text);
  }

  drop(): void {
    this.isDropped = true;
  }

  end(): void {
    this.isEnded = true;
  }

  get events(): readonly { readonly id: string; readonly data: LiveUpdate }[] {
    return this.texts.flatMap((text) => {
      const [, id = "", data = ""] = /^id: (.*)\nevent: update\ndata: (.*)\n\n$/u.exec(text) ?? [];
      return data === "" ? [] : [{ id, data: JSON.parse(data) as LiveUpdate }];
    });
  }

  get lastId(): string | undefined {
    return this.events.at(-1)?.id;
  }

  /** What a page knows that applies the events in their order. */
  get course(): readonly (LiveInterval | undefined)[] {
    const course: LiveInterval[] = [];
    for (const { data } of this.events) for (const each of data.series.intervals) course[each.index] = each;
    return course;
  }
}

function interval(index: number, completed: number): LiveInterval {
  return { index, offered: completed, started: completed, completed, failed: 0 };
}

function update(intervals: readonly LiveInterval[], { runId = "r1", widthMs = 1_000 } = {}): LiveUpdate {
  return {
    run: { runId, planLine: "", load: "open", labels: {}, warmupMs: 0, number: 1, of: 1 },
    phase: { kind: "running" },
    snapshot: {
      elapsedMs: 0,
      orchestrations: { total: 0, started: 0, ended: 0 },
      activities: { total: 0, completed: 0 },
      responseMs: undefined,
    },
    series: { widthMs, intervals },
    stalls: [],
    thresholds: [],
  };
}

function hubWith(...viewers: readonly TestViewer[]): LiveHub {
  const hub = new LiveHub();
  for (const viewer of viewers) hub.add(viewer, undefined);
  return hub;
}

test("a late viewer gets the series from the start, each interval as it is now", () => {
  const hub = hubWith();
  hub.publish(update([interval(0, 1), interval(1, 1)]));
  hub.publish(update([interval(1, 5), interval(2, 2)]));
  const late = new TestViewer();
  hub.add(late, undefined);
  expect(late.events.map(({ data }) => data.series.intervals)).toEqual([
    [interval(0, 1), interval(1, 5), interval(2, 2)],
  ]);
});

test("a viewer that comes back gets what has changed since the event that it names, and all if the id is of another run", () => {
  const first = new TestViewer();
  const hub = hubWith(first);
  hub.publish(update([interval(0, 1)]));
  const { lastId } = first;
  hub.publish(update([interval(1, 1)]));
  const [back, stranger] = [new TestViewer(), new TestViewer()];
  hub.add(back, lastId);
  hub.add(stranger, "other/1");
  expect(back.course).toEqual([undefined, interval(1, 1)]);
  expect(stranger.course).toEqual([interval(0, 1), interval(1, 1)]);
});

test("an event is serialised once for all viewers", () => {
  const viewers = Array.from({ length: 50 }, () => new TestViewer());
  const hub = hubWith(...viewers);
  let reads = 0;
  const told = update([interval(0, 1)]);
  hub.publish({ ...told, toJSON: () => ((reads += 1), told) } as LiveUpdate);
  expect(reads).toBe(1);
  expect(new Set(viewers.map(({ texts }) => texts.join(""))).size).toBe(1);
});

test("a slow viewer is sent nothing until it has taken the last event, then all that it missed; at last it is dropped", () => {
  const slow = new TestViewer();
  const hub = hubWith(slow);
  hub.publish(update([interval(0, 1)]));
  slow.backlogBytes = 1;
  for (let index = 1; index <= 10; index += 1) hub.publish(update([interval(index, 1)]));
  expect(slow.events).toHaveLength(1);
  slow.backlogBytes = 0;
  hub.publish(update([interval(11, 1)]));
  expect(slow.course).toEqual(Array.from({ length: 12 }, (_, index) => interval(index, 1)));
  expect(slow.events).toHaveLength(2);

  slow.backlogBytes = 1;
  for (let index = 0; index < 11; index += 1) hub.publish(update([]));
  expect(slow.isDropped).toBe(true);
  expect(hub.viewers).toBe(0);
});

test("the intervals of an earlier run, and those of another width, are forgotten", () => {
  const hub = hubWith();
  hub.publish(update([interval(0, 1), interval(1, 1)]));
  hub.publish(update([interval(0, 7)], { widthMs: 2_000 }));
  const second = new TestViewer();
  hub.add(second, undefined);
  expect(second.course).toEqual([interval(0, 7)]);
  hub.publish(update([interval(0, 3)], { runId: "r2" }));
  const third = new TestViewer();
  hub.add(third, undefined);
  expect(third.course).toEqual([interval(0, 3)]);
});

test("whenever viewers come, go, and lag, they know the same in the end", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("publish" as const), index: fc.nat(5), completed: fc.nat(9) }),
    fc.record({ kind: fc.constant("reconnect" as const) }),
    fc.record({ kind: fc.constant("lag" as const), isSlow: fc.boolean() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const steady = new TestViewer();
      const hub = hubWith(steady);
      let connection = new TestViewer();
      const known: LiveInterval[] = [];
      const learn = () => connection.course.forEach((each) => each && (known[each.index] = each));
      let lastId: string | undefined;
      hub.add(connection, undefined);
      for (const each of steps) {
        if (each.kind === "publish") {
          hub.publish(update([interval(each.index, each.completed)]));
        } else if (each.kind === "lag") {
          connection.backlogBytes = each.isSlow ? 1 : 0;
        } else {
          learn();
          lastId = connection.lastId ?? lastId;
          hub.remove(connection);
          connection = new TestViewer();
          hub.add(connection, lastId);
        }
      }
      connection.backlogBytes = 0;
      if (connection.isDropped) hub.add(connection, connection.lastId ?? lastId);
      hub.publish(update([]));
      learn();
      expect(known).toEqual([...steady.course]);
    }),
  );
});
