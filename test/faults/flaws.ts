import { GroupCommit } from "../../dist/emulator/store/group-commit.js";
import { Relations } from "../../dist/emulator/hub/relations.js";
import { Statements } from "../../dist/emulator/store/sqlite/statements.js";
import { wrap } from "./wrap.js";

/** What an emulator must never do, and the harness has to find. */
export type Flaw = "lateCommit" | "lateParent";

/** Longer than a seed takes: what was promised is not there, whenever the kill comes behind the promise. */
const LATE_COMMIT_MS = 60_000;

export const INTRODUCE: Readonly<Record<Flaw, () => void>> = {
  /** What is answered is not committed yet. */
  lateCommit() {
    const nothing = { changes: 0, lastInsertRowid: 0 };
    let open = false;
    wrap(Statements.prototype, "run", (run) => {
      return function delayed(this: Statements, sql, ...values) {
        if (sql !== "COMMIT") return sql === "BEGIN IMMEDIATE" && open ? nothing : run.call(this, sql, ...values);

        if (!open) {
          open = true;
          setTimeout(() => {
            open = false;
            run.call(this, "COMMIT");
          }, LATE_COMMIT_MS);
        }
        return nothing;
      };
    });
  },

  /** The end of a sub-orchestration is one transaction, that its parent hears of it the next. */
  lateParent() {
    let later: ((apply: () => void) => void) | undefined;
    wrap(GroupCommit.prototype, "submit", (submit) => {
      return function remembered<T>(this: GroupCommit, ...args: Parameters<typeof submit<T>>): void {
        later = (apply) => submit.call(this, apply, () => {});
        submit.apply(this, args as Parameters<typeof submit>);
      };
    });
    wrap(Relations.prototype, "tellParent", (tell) => {
      return function late(this: Relations, child, ended) {
        later?.(() => tell.call(this, child, ended));
      };
    });
  },
};
