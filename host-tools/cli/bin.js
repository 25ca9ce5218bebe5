#!/usr/bin/env node
// Plain JavaScript, so that a Node too old to read TypeScript can still read this and say so.
const [major, minor] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 18)) {
  await import("./covey.ts");
} else {
  console.error(
    `covey needs Node 22.18 or newer and this is ${process.versions.node}: run it as npx covey in a folder made by covey init (which brings Node 24), or install a newer Node.`,
  );
  process.exitCode = 1;
}
