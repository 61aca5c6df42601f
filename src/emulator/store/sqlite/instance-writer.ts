import { framedTags } from "./read.js";
import type { Statements } from "./statements.js";
import { Status, isTerminal } from "../../../protocol/orchestration-status.js";
import type { EpisodeResult, NewInstance, NextExecution, Rewound, WaitingEvent } from "../store.js";

/** What changes an instance, and the events that belong to it. */
export class InstanceWriter {
  readonly #statements: Statements;

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  /** Returns the key of the new instance, or undefined if its hub has one of that id. */
  insert(instance: NewInstance): number | undefined {
    const { changes, lastInsertRowid } = this.#statements.run(
      `INSERT INTO instances (task_hub, instance_id, execution_id, name, version, status, created_us, updated_us,
         scheduled_start_us, input, parent_id, parent, tags)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      instance.taskHub,
      instance.instanceId,
      instance.executionId,
      instance.name,
      instance.version ?? null,
      instance.status,
      instance.createdUs,
      instance.createdUs,
      instance.scheduledStartUs,
      instance.input ?? null,
      instance.parentId ?? null,
      instance.parent ?? null,
      framedTags(instance.tags),
    );
    return changes === 0 ? undefined : Number(lastInsertRowid);
  }

  appendWaiting(key: number, { seq, event }: WaitingEvent): void {
    this.#statements.run("INSERT INTO waiting (key, seq, event) VALUES (?, ?, ?)", key, seq, event);
  }

  applyEpisode(key: number, result: EpisodeResult): void {
    this.#insertHistory(key, result.historySeq, result.history);
    if (isTerminal(result.status)) this.#deleteFrom("waiting", key);
    else this.#statements.run("DELETE FROM waiting WHERE key = ? AND seq <= ?", key, result.processedSeq);

    this.#statements.run(
      `UPDATE instances SET status = ?, updated_us = ?, completed_us = ?, tasks_completed = ?,
         output = coalesce(?, output), custom_status = coalesce(?, custom_status), failure = coalesce(?, failure),
         trace = coalesce(?, trace)
       WHERE key = ?`,
      result.status,
      result.updatedUs,
      result.completedUs,
      result.tasksCompleted,
      result.output ?? null,
      result.customStatus ?? null,
      result.failure ?? null,
      result.trace ?? null,
      key,
    );
  }

  restart(key: number, next: NextExecution): void {
    this.#deleteFrom("history", key);
    this.#deleteFrom("waiting", key);
    this.#statements.run(
      `UPDATE instances SET execution_id = ?, version = coalesce(?, version), input = ?, tasks_completed = ?,
         updated_us = ?, status = ?, custom_status = coalesce(?, custom_status), tags = ?, trace = NULL WHERE key = ?`,
      next.executionId,
      next.version ?? null,
      next.input ?? null,
      next.tasksCompleted,
      next.updatedUs,
      next.status,
      next.customStatus ?? null,
      framedTags(next.tags),
      key,
    );
  }

  setStatus(key: number, status: number, updatedUs: number): void {
    this.#statements.run("UPDATE instances SET status = ?, updated_us = ? WHERE key = ?", status, updatedUs, key);
  }

  reopen(key: number, updatedUs: number): void {
    this.#statements.run(
      `UPDATE instances SET status = ?, updated_us = ?, completed_us = 0, output = NULL, failure = NULL WHERE key = ?`,
      Status.Running,
      updatedUs,
      key,
    );
  }

  rewind(key: number, rewound: Rewound): void {
    this.#deleteFrom("history", key);
    this.#deleteFrom("waiting", key);
    this.#insertHistory(key, 0, rewound.history);
    this.#statements.run(
      `UPDATE instances SET execution_id = ?, parent = ?, tasks_completed = ?, updated_us = ?, trace = NULL
       WHERE key = ?`,
      rewound.executionId,
      rewound.parent ?? null,
      rewound.tasksCompleted,
      rewound.updatedUs,
      key,
    );
  }

  /** False if there is none of that key. */
  delete(key: number): boolean {
    this.#deleteFrom("history", key);
    this.#deleteFrom("waiting", key);
    return Number(this.#statements.run("DELETE FROM instances WHERE key = ?", key).changes) > 0;
  }

  #insertHistory(key: number, seq: number, events: Uint8Array): void {
    this.#statements.run("INSERT INTO history (key, seq, events) VALUES (?, ?, ?)", key, seq, events);
  }

  #deleteFrom(table: "history" | "waiting", key: number): void {
    this.#statements.run(`DELETE FROM ${table} WHERE key = ?`, key);
  }
}
