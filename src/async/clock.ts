/**
 * Milliseconds since the epoch, with fractions: the client's clock. Unlike `Date.now` it never jumps while the process
 * lives, so that differences are durations.
 */
export type Clock = () => number;

export const clientClock: Clock = () => performance.timeOrigin + performance.now();
