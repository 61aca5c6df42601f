import { open, type FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";

/** A result as JSON, as it was written. */
export interface ResultText {
  readonly bytes: number;
  readonly stream: Readable;
}

const CHUNK_BYTES = 64 * 1024;
const LINE_END = 0x0a;

export function textInMemory(text: Buffer): ResultText {
  return { bytes: text.length, stream: Readable.from([text]) };
}

/**
 * The third line of a file. It is not parsed: the file was written at once, and is as long as it was, so the line is what was
 * written.
 * @param bytes of the file
 * @throws if the file is gone, or is another one by now
 */
export async function textInFile(path: string, bytes: number): Promise<ResultText> {
  const handle = await open(path);
  try {
    const { size } = await handle.stat();
    if (size !== bytes) throw new Error(`Expected ${bytes} bytes, found ${size}.`);
    const start = await startOfLine(handle, 2);
    const end = size - 2;
    if (!(await isObject(handle, start, end))) throw new Error("Expected a result in the third line.");
    return { bytes: end - start + 1, stream: handle.createReadStream({ start, end }) };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Whether what is between looks like an object on a line of its own, the last one. */
async function isObject(handle: FileHandle, start: number, end: number): Promise<boolean> {
  const [first, last] = [Buffer.alloc(1), Buffer.alloc(2)];
  await handle.read(first, 0, first.length, start);
  await handle.read(last, 0, last.length, end);
  return end > start && String(first) === "{" && String(last) === "}\n";
}

/** @throws if there are fewer lines */
async function startOfLine(handle: FileHandle, index: number): Promise<number> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  let ended = 0;
  for (let position = 0; ;) {
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, position);
    if (bytesRead === 0) throw new Error(`Expected ${index + 1} lines, found ${ended}.`);
    const read = chunk.subarray(0, bytesRead);
    for (let at = read.indexOf(LINE_END); at >= 0; at = read.indexOf(LINE_END, at + 1)) {
      ended += 1;
      if (ended === index) return position + at + 1;
    }
    position += bytesRead;
  }
}
