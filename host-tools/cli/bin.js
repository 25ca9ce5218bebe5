#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to read TypeScript can still read this and say so.
import nodeModule from "node:module";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  // Halves the time until a verb begins: types are stripped once, not at every start.
  nodeModule.enableCompileCache();
  await import("./covey.ts");
} else {
  console.error(
    `covey needs Node 22.18 or newer and this is ${process.versions.node}: run it as npx covey in a folder made by covey init (which brings Node 24), or install a newer Node.`,
  );
  process.exitCode = 1;
}
