import * as fc from "fast-check";
import { expect, test } from "vitest";
import { int32Length, writeInt32 } from "../../../src/protocol/sized-fields.js";
import { BinaryReader } from "../../../src/protocol/wire.js";

test("an int32 takes as many bytes as it says, and is read as it was written", () => {
  fc.assert(
    fc.property(fc.integer(), (value) => {
      const bytes = new Uint8Array(10);
      const end = writeInt32(bytes, 0, value);
      expect(end).toBe(int32Length(value));
      expect(new BinaryReader(bytes.subarray(0, end)).int32()).toBe(value);
    }),
  );
});
