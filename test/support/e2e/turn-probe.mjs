/**
 * Loaded in front of a program (`node --import`): tells, when the program exits, how much CPU time the longest turn of its
 * event loop took once it had started. CPU time, since other processes of the machine make turns longer that are not.
 */
const { user, system } = process.threadCpuUsage();
let lastUs = user + system;
let longestUs = 0;
const STARTED_MS = 2_000;

setInterval(() => {
  const now = process.threadCpuUsage();
  const spentUs = now.user + now.system - lastUs;
  lastUs = now.user + now.system;
  if (performance.now() > STARTED_MS) longestUs = Math.max(longestUs, spentUs);
}, 1).unref();

process.on("exit", () => process.stderr.write(`longest turn: ${Math.round(longestUs / 1_000)} ms\n`));
