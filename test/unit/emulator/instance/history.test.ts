import * as fc from "fast-check";
import { expect, test } from "vitest";
import { History } from "../../../../src/emulator/instance/history.js";

test("a history that grows is all of its parts, and what was read from it before stays as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (parts) => {
      const history = new History(new Uint8Array(0));
      const seen: { bytes: Uint8Array; copy: number[] }[] = [];
      for (const part of parts) {
        history.append(part);
        seen.push({ bytes: history.bytes, copy: [...history.bytes] });
      }
      expect([...history.bytes]).toEqual(parts.flatMap((part) => [...part]));
      for (const { bytes, copy } of seen) expect([...bytes]).toEqual(copy);
    }),
  );
});
