/**
 * A TCP proxy that passes everything on after a delay, each way, in a process of its own: what its clients do does not change
 * the delay. Arguments: the port of 127.0.0.1 that it connects to, and the delay in milliseconds. Prints its own port.
 */
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

const [to, delayMs] = process.argv.slice(2).map(Number) as [number, number];

const server = createServer((near) => {
  const far = connect(to, "127.0.0.1");
  passOn(near, far);
  passOn(far, near);
});
server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));

/** Timers of one length fire in the order in which they were set, so bytes stay in theirs. */
function passOn(from: Socket, into: Socket): void {
  from.setNoDelay(true);
  from.on("data", (bytes: Buffer) => setTimeout(() => into.write(bytes), delayMs));
  from.on("close", () => setTimeout(() => into.destroy(), delayMs));
  from.on("error", () => {});
}
