/** Loaded into the server, which then tells on request how many bytes its heap has after a collection. */
process.on("message", () => {
  // Twice: the first one may leave what finalizers hold.
  gc!();
  gc!();
  process.send!(process.memoryUsage().heapUsed);
});
// It must not keep the server alive.
process.channel?.unref();
