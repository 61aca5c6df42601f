import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ConnectionLoad } from "../../../../src/emulator/transport/connection-load.js";
import { RequestReader } from "../../../../src/emulator/transport/grpc/request-reader.js";
import { MOST_HELD_BYTES, MOST_MESSAGE_BYTES, SMALL_BYTES } from "../../../../src/emulator/limits/limits.js";
import { MemoryBudget } from "../../../../src/emulator/transport/memory-budget.js";
import { framedText } from "../../../support/emulator/grpc-client.js";

/** Counts what readers hold. */
class CountedLoad {
  held = 0;

  hold(bytes: number): void {
    this.held += bytes;
  }

  release(bytes: number): void {
    this.held -= bytes;
  }
}

function prefixOf(bytes: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

describe("a request", () => {
  test("is read however it is cut, holds at most twice what has come, and nothing when it is given up", () => {
    const sizes = fc.array(fc.integer({ min: 0, max: 2_700 }), { maxLength: 30 });
    fc.assert(
      fc.property(fc.string({ maxLength: 8_000, size: "max" }), sizes, (text, cuts) => {
        const load = new CountedLoad();
        const reader = new RequestReader(undefined, load);
        const bytes = framedText(text);
        let at = 0;
        for (const size of [...cuts, bytes.length]) {
          reader.add(bytes.subarray(at, at + size));
          at = Math.min(bytes.length, at + size);
          expect(load.held).toBeLessThanOrEqual(2 * at);
        }
        expect(load.held).toBe(bytes.length > SMALL_BYTES ? Math.max(bytes.length, load.held) : 0);
        expect(reader.end().toString()).toBe(text);
        reader.discard();
        expect(load.held).toBe(0);
      }),
    );
  });

  test("that comes byte by byte does not hold what its bytes came with", () => {
    const load = new CountedLoad();
    const reader = new RequestReader(undefined, load);
    const read = Buffer.alloc(64 * 1_024);
    const bytes = Buffer.concat([prefixOf(1_000), Buffer.alloc(999, "x")]);
    for (const byte of bytes) {
      read[0] = byte;
      reader.add(read.subarray(0, 1));
    }
    // What it has is a copy: the next read may use the same memory.
    read[0] = "!".charCodeAt(0);
    reader.add(read.subarray(0, 1));
    expect(reader.end().toString()).toBe(`${"x".repeat(999)}!`);
  });

  test("that only claims to be large takes no memory for it", () => {
    const load = new CountedLoad();
    new RequestReader(undefined, load).add(prefixOf(MOST_MESSAGE_BYTES));
    expect(load.held).toBeLessThanOrEqual(20);
  });

  test("that is given up holds nothing more", () => {
    const load = new CountedLoad();
    const reader = new RequestReader(undefined, load);
    reader.add(Buffer.concat([prefixOf(10_000), Buffer.alloc(5_000)]));
    expect(load.held).toBeGreaterThan(5_000);
    reader.discard();
    expect(load.held).toBe(0);
  });

  test("is refused for its size by the first bytes of it, which say what is too large and what is not", () => {
    const reader = new RequestReader(undefined, new CountedLoad());
    expect(() => {
      reader.add(prefixOf(MOST_MESSAGE_BYTES + 1));
    }).toThrow(
      expect.objectContaining({
        code: "RESOURCE_EXHAUSTED",
        message: expect.stringMatching(/67108865.*67108864/) as string,
      }) as Error,
    );
  });

  test("finds no room where others have taken it, until they are done", () => {
    const load = new ConnectionLoad(new MemoryBudget(MOST_HELD_BYTES));
    load.hold(MOST_HELD_BYTES - 10_000);
    const part = Buffer.concat([prefixOf(100_000), Buffer.alloc(9_995)]);
    const reader = new RequestReader(undefined, load);
    expect(() => {
      reader.add(part);
    }).toThrow(expect.objectContaining({ code: "RESOURCE_EXHAUSTED" }) as Error);
    reader.discard();
    load.release(MOST_HELD_BYTES - 10_000);
    new RequestReader(undefined, load).add(part);
    expect(() => {
      load.hold(MOST_HELD_BYTES - 19_999);
    }).toThrow("not complete");
  });
});
