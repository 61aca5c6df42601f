import type { DatabaseSync } from "node:sqlite";
import { StoreError } from "../store.js";

/** Grows with every change of the tables; a file of a greater one belongs to a newer fanout. */
const SCHEMA_VERSION = 3;

const TABLES = `
  CREATE TABLE instances (
    key INTEGER PRIMARY KEY,
    task_hub TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    name TEXT NOT NULL,
    version BLOB,
    status INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    updated_us INTEGER NOT NULL,
    completed_us INTEGER NOT NULL DEFAULT 0,
    scheduled_start_us INTEGER NOT NULL,
    tasks_completed INTEGER NOT NULL DEFAULT 0,
    input BLOB,
    output BLOB,
    custom_status BLOB,
    failure BLOB
  ) STRICT;
  CREATE UNIQUE INDEX instances_by_id ON instances (task_hub, instance_id);

  -- Framed events, a chunk for each episode.
  CREATE TABLE history (
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    events BLOB NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;

  -- Events received and not yet processed by an episode.
  CREATE TABLE waiting (
    key INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    event BLOB NOT NULL,
    PRIMARY KEY (key, seq)
  ) STRICT, WITHOUT ROWID;
`;

/**
 * An instance is in one of the two indexes, never in both: what asks for the few in flight does not pass the million
 * that have ended. The one row of `totals` is kept with every change, so that nobody counts a million.
 */
const INDEXES = `
  CREATE UNIQUE INDEX instances_in_flight ON instances (task_hub, instance_id) WHERE completed_us = 0;
  CREATE INDEX instances_ended ON instances (completed_us, key) WHERE completed_us > 0;

  CREATE TABLE totals (
    instances INTEGER NOT NULL
  ) STRICT;
  INSERT INTO totals SELECT count(*) FROM instances;
`;

/** Sub-orchestrations, tags, trace contexts, activities that nobody waits for any more, and the task hubs that were created by name. */
const RELATIONS = `
  ALTER TABLE instances ADD COLUMN parent_id TEXT;
  ALTER TABLE instances ADD COLUMN parent BLOB;
  ALTER TABLE instances ADD COLUMN tags BLOB;
  ALTER TABLE instances ADD COLUMN trace BLOB;
  CREATE INDEX instances_by_parent ON instances (task_hub, parent_id) WHERE parent_id IS NOT NULL;

  CREATE TABLE detached_tasks (
    task_hub TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    task_id INTEGER NOT NULL,
    scheduled BLOB NOT NULL,
    PRIMARY KEY (task_hub, instance_id, execution_id, task_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE task_hubs (
    name TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;
`;

/** What makes a file of that version, 0 being an empty one, into one of the latest. */
const MIGRATIONS: Readonly<Record<number, string>> = {
  0: TABLES + INDEXES + RELATIONS,
  1: `DROP INDEX instances_by_completion; DROP INDEX instances_active; ${INDEXES} ${RELATIONS}`,
  2: RELATIONS,
};

/** The version of a file's tables. Changes nothing; throws `StoreError` at a newer one. */
export function schemaVersion(db: DatabaseSync): number {
  const { user_version: version } = db.prepare("PRAGMA user_version").get() as { user_version: number };
  if (version > SCHEMA_VERSION)
    throw new StoreError("newer", `it has schema ${version}, this version of fanout knows up to ${SCHEMA_VERSION}`);

  return version;
}

/** Makes the tables of an empty file, or brings those of an older version up to date. */
export function prepareSchema(db: DatabaseSync): void {
  const migration = MIGRATIONS[schemaVersion(db)];
  if (migration !== undefined) db.exec(`BEGIN IMMEDIATE; ${migration} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
}
