import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type ClientHttp2Session, type ClientHttp2Stream, type IncomingHttpHeaders } from "node:http2";
import { setTimeout } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { describe, expect, onTestFinished, test } from "vitest";
import { MOST_HELD_BYTES } from "../../src/emulator/limits/limits.js";
import { pb } from "../../src/protocol/sidecar-stubs.js";
import { RawConnection, stringValue } from "../support/emulator/raw-connection.js";
import { Workplace } from "../support/e2e/workplace.js";

const MIB = 1_048_576;
/** What it holds at most, and what Node takes beside it: itself, and what it has not collected yet. */
const MOST_RSS_MIB = MOST_HELD_BYTES / MIB + 384;

interface Door {
  readonly place: Workplace;
  readonly pid: number;
  readonly port: number;
}

async function openDoor(): Promise<Door> {
  const place = await Workplace.open();
  const emulator = place.start("emulator --port 0");
  const [, port] = await emulator.says(/^listening for any .* on http:\/\/127\.0\.0\.1:(\d+);/mu);
  await emulator.says(/Ctrl-C stops\./u);
  return { place, pid: emulator.pid, port: Number(port) };
}

function rssMib(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]) / 1_024;
}

/** The most that a process takes until this is done. */
async function peakMib(pid: number, work: Promise<unknown>): Promise<number> {
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, rssMib(pid));
  }, 20);
  try {
    await work;
  } finally {
    clearInterval(timer);
  }
  return peak;
}

function ownConnection(address: string): RawConnection {
  const raw = new RawConnection(address, "default", {
    "grpc.max_receive_message_length": -1,
    "grpc.max_send_message_length": -1,
  });
  onTestFinished(() => raw.close());
  return raw;
}

async function session(port: number, initialWindowSize = 0): Promise<ClientHttp2Session> {
  const opened = connect(`http://127.0.0.1:${port}`, {
    maxSessionMemory: Number.MAX_SAFE_INTEGER,
    // With none what is answered stays where it is.
    settings: { initialWindowSize },
  });
  opened.on("error", () => {});
  onTestFinished(() => opened.destroy());
  await once(opened, "remoteSettings");
  return opened;
}

function call(on: ClientHttp2Session, method: string): ClientHttp2Stream {
  return on.request({
    ":method": "POST",
    ":path": `/TaskHubSidecarService/${method}`,
    "content-type": "application/grpc",
    te: "trailers",
    taskhub: "default",
  });
}

function prefixOf(bytes: number): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes, 1);
  return prefix;
}

describe.skipIf(process.platform !== "linux")("the memory of the emulator", () => {
  test("is bounded for any unfinished input, and the owner is still served", async () => {
    const { place, pid, port } = await openDoor();
    const part = Buffer.alloc(60 * MIB - 1);
    let refused = 0;
    const send = async (on: ClientHttp2Session): Promise<void> => {
      const stream = call(on, "StartInstance");
      stream.on("response", (headers) => {
        refused += headers["grpc-status"] === String(status.RESOURCE_EXHAUSTED) ? 1 : 0;
      });
      stream.on("error", () => {});
      stream.resume();
      stream.write(prefixOf(60 * MIB));
      await new Promise<void>((resolve) => {
        stream.once("close", resolve);
        stream.write(part, () => resolve());
      });
    };
    const sendAll = async (): Promise<void> => {
      const sessions = await Promise.all([session(port), session(port), session(port)]);
      await Promise.all(
        sessions.map(async (on) => {
          for (let n = 0; n < 20; n += 1) await send(on);
        }),
      );
    };
    expect(await peakMib(pid, sendAll())).toBeLessThan(MOST_RSS_MIB);
    expect(refused).toBeGreaterThanOrEqual(48);
    await ownConnection(`unix:${place.socket}`).start("by the owner");
  }, 300_000);

  test.each(["answered", "not finished"])(
    "is bounded whatever calls are made, and %s",
    async (kind) => {
      const { place, pid, port } = await openDoor();
      const request = Buffer.concat([prefixOf(6), Buffer.from([0x0a, 4, ...Buffer.from("none")])]);
      const makeAll = async (): Promise<void> => {
        for (let connections = 0; connections < 15; connections += 1) {
          const on = await session(port);
          for (let n = 0; n < 20_000 && !on.destroyed; n += 1) {
            const stream = call(on, "GetInstance").on("error", () => {});
            if (kind === "answered") stream.end(request);
            if (n % 1_000 === 0) await setTimeout(1);
          }
        }
      };
      expect(await peakMib(pid, makeAll())).toBeLessThan(MOST_RSS_MIB);
      await expect(ownConnection(`127.0.0.1:${port}`).start("late")).rejects.toMatchObject({
        code: status.RESOURCE_EXHAUSTED,
      });
      await ownConnection(`unix:${place.socket}`).start("by the owner");
    },
    300_000,
  );

  test("has room for 10,000 results of 50 KiB at once", async () => {
    const { pid, port } = await openDoor();
    const on = await session(port, 65_535);
    // A result whose token is stale is read as any other, and refused for that alone.
    const response = new pb.ActivityResponse();
    response.setInstanceid("instance");
    response.setCompletiontoken("stale");
    response.setResult(stringValue("x".repeat(50 * 1_024)));
    const message = Buffer.from(response.serializeBinary());
    const request = Buffer.concat([prefixOf(message.length), message]);
    const send = async (): Promise<unknown> => {
      const stream = call(on, "CompleteActivityTask");
      stream.resume().end(request);
      const [headers] = (await once(stream, "response")) as [IncomingHttpHeaders];
      return headers["grpc-status"];
    };
    const sendAll = async (): Promise<void> => {
      const statuses = await Promise.all(Array.from({ length: 10_000 }, send));
      expect(new Set(statuses)).toEqual(new Set([String(status.NOT_FOUND)]));
    };
    expect(await peakMib(pid, sendAll())).toBeLessThan(MOST_RSS_MIB);
  }, 300_000);
});
