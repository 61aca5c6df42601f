import { roomOf } from "./rooms.js";
import type { Import } from "./source-imports.js";

/** A room, and the rooms that its files import. */
export interface PicturedRoom {
  readonly room: string;
  readonly imports: readonly string[];
  /** Imports that do not lead downwards. */
  readonly upward: readonly string[];
}

/** The rooms from the top of the house to its ground: each above all that it imports, unless there is a circle. */
export function pictureOf(imports: readonly Import[]): readonly PicturedRoom[] {
  const below = new Map<string, Set<string>>();
  for (const { file, target } of imports) {
    const from = roomOf(file);
    const to = target === undefined ? undefined : roomOf(target);
    if (from === undefined || to === undefined) continue;
    const rooms = below.get(from) ?? new Set();
    below.set(from, rooms);
    if (!below.has(to)) below.set(to, new Set());
    if (from !== to) rooms.add(to);
  }
  const order: string[] = [];
  const visited = new Set<string>();
  const visit = (room: string): void => {
    if (visited.has(room)) return;
    visited.add(room);
    for (const lower of [...below.get(room)!].sort()) visit(lower);
    order.unshift(room);
  };
  for (const room of [...below.keys()].sort()) visit(room);
  return order.map((room, floor) => {
    const rooms = [...below.get(room)!].sort();
    return { room, imports: rooms, upward: rooms.filter((other) => order.indexOf(other) < floor) };
  });
}

export function asText(picture: readonly PicturedRoom[]): string {
  const width = Math.max(...picture.map(({ room }) => room.length));
  return picture
    .map(({ room, imports, upward }) => {
      const names = imports.map((name) => (upward.includes(name) ? `${name} (upward!)` : name));
      return `${room.padEnd(width)}  ${names.length === 0 ? "-" : `-> ${names.join(", ")}`}`;
    })
    .join("\n");
}

function node(room: string): string {
  return room.replaceAll(/\W/gu, "_");
}

export function asMermaid(picture: readonly PicturedRoom[]): string {
  const nodes = picture.map(({ room }) => `  ${node(room)}["${room}"]`);
  const arrows = picture.flatMap(({ room, imports }) => imports.map((to) => `  ${node(room)} --> ${node(to)}`));
  return ["graph TD", ...nodes, ...arrows].join("\n");
}
