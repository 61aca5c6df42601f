#!/usr/bin/env node
// Has to parse on any Node that reads ES modules, so that an old one gets a sentence instead of a SyntaxError.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  process.stderr.write(`error: fanout needs Node 22.13 or newer; this is Node ${process.versions.node}\n`);
  process.exitCode = 2;
} else {
  void import("../lib/cli.js");
}
