/** What `npm test` runs: few seeds that have much in them. `npm run test:long` runs hundreds of others. */
export const SHORT_SEEDS = [1, 4, 148] as const;
