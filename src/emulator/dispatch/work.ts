export type WorkKind = "episode" | "activity";

export const KINDS: readonly WorkKind[] = ["episode", "activity"];

/** What workers choose by: the name of the orchestrator or the activity, and its version, "" where it has none. */
export interface WorkName {
  readonly name: string;
  readonly version: string;
}

/** What a worker takes of one kind: names, each with the versions that it takes, none meaning any. */
export type WorkFilter = ReadonlyMap<string, ReadonlySet<string>>;
