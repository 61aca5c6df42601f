import type { GroupCommit } from "../store/group-commit.js";
import { TERMINAL, isTerminal } from "../../protocol/orchestration-status.js";
import type { RowFilter, Store } from "../store/store.js";

/** Instances that one turn looks at and deletes at most, so that a purge of a hundred thousand stops nobody's work. */
const PURGED_IN_ONE_TURN = 500;

export type PurgeWindow = Pick<RowFilter, "createdFromUs" | "createdToUs" | "statuses">;

type Answer = (error: Error | undefined, deleted: number | undefined) => void;

/** Deletes instances of a hub that have ended, turn by turn. */
export class Purge {
  readonly #taskHub: string;
  readonly #store: Store;
  readonly #commits: GroupCommit;

  constructor(taskHub: string, { store, commits }: { readonly store: Store; readonly commits: GroupCommit }) {
    this.#taskHub = taskHub;
    this.#store = store;
    this.#commits = commits;
  }

  /** Those of the instances that have ended, with what they have started if it is recursive; answers how many. */
  byIds(instanceIds: readonly string[], recursive: boolean, answer: Answer, deletedBefore = 0): void {
    this.#commits.submit(
      () => {
        const left = [...instanceIds];
        let deleted = 0;
        for (let looks = 0; left.length > 0 && looks < PURGED_IN_ONE_TURN; looks += 1) {
          const id = left.pop()!;
          if (this.#deleteOne(id)) {
            deleted += 1;
            if (recursive) left.push(...this.#childrenOf(id));
          }
        }
        return { deleted: deletedBefore + deleted, left };
      },
      (error, turn) => {
        if (turn !== undefined && turn.left.length > 0) this.byIds(turn.left, recursive, answer, turn.deleted);
        else answer(error, turn?.deleted);
      },
    );
  }

  /** Those of a window; no status means any that has ended. */
  matching(window: PurgeWindow, recursive: boolean, answer: Answer, deletedBefore = 0, afterInstanceId = ""): void {
    const statuses = TERMINAL.filter((status) => window.statuses.length === 0 || window.statuses.includes(status));
    if (statuses.length === 0) {
      answer(undefined, 0);
      return;
    }
    const place = { taskHub: this.#taskHub, instanceIdPrefix: "", afterInstanceId, payloads: false };
    const filter = { ...place, ...window, statuses, limit: PURGED_IN_ONE_TURN };
    this.#commits.submit(
      () => {
        const { rows, next } = this.#store.query(filter);
        const children: string[] = [];
        for (const { key, instanceId } of rows) {
          this.#store.deleteInstance(key);
          if (recursive) children.push(...this.#childrenOf(instanceId));
        }
        return { deleted: deletedBefore + rows.length, children, next };
      },
      (error, turn) => {
        if (turn === undefined) {
          answer(error, undefined);
          return;
        }
        const goOn: Answer = (failure, deleted) => {
          if (deleted === undefined || turn.next === undefined) answer(failure, deleted);
          else this.matching(window, recursive, answer, deleted, turn.next);
        };
        if (turn.children.length > 0) this.byIds(turn.children, true, goOn, turn.deleted);
        else goOn(undefined, turn.deleted);
      },
    );
  }

  #deleteOne(instanceId: string): boolean {
    const row = this.#store.find(this.#taskHub, instanceId, false);
    if (row === undefined || !isTerminal(row.status)) return false;

    this.#store.deleteInstance(row.key);
    return true;
  }

  /** What an instance has started is found by its id, also when it is no more there. */
  #childrenOf(instanceId: string): string[] {
    return this.#store.childrenOf(this.#taskHub, instanceId).map((child) => child.instanceId);
  }
}
