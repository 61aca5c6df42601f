import { hostname } from "node:os";

/** The name of this process among those that execute work: `HOST-PID`. Worker ids begin with it. */
export const WORKER_PROCESS = `${hostname()}-${process.pid}`;
