/** The page's session, as written there. With COVEY_REWRITE=1 the answers are written into the page; review the difference. */
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { RaftShell } from "../../../host-tools/raft-shell/shell.ts";

const page = join(import.meta.dirname, "../../../docs/raft-shell.md");

describe("the session in docs/raft-shell.md", () => {
  it("goes as it is written", () => {
    const lines = readFileSync(page, "utf8").split("\n");
    const shell = new RaftShell();
    const rerun = lines
      .filter((line) => !line.startsWith("< "))
      .flatMap((line) =>
        line.startsWith("> ") ? [line, `< ${JSON.stringify(shell.run(line.slice(2)))}`] : [line],
      );
    if (process.env.COVEY_REWRITE === "1") writeFileSync(page, rerun.join("\n"));
    else expect(rerun).toEqual(lines);
    expect(lines.filter((line) => line.startsWith("> ")).length).toBeGreaterThan(20);
  });

  it("goes the same through the command", async () => {
    const lines = readFileSync(page, "utf8").split("\n");
    const bin = join(import.meta.dirname, "../../../host-tools/cli/bin.js");
    const child = spawn(process.execPath, [bin, "raft-shell"], { stdio: ["pipe", "pipe", "inherit"] });
    const operations = lines.filter((line) => line.startsWith("> ")).map((line) => line.slice(2));
    child.stdin.end(`${operations.join("\n")}\n`);
    const answers = (await text(child.stdout)).trimEnd().split("\n");
    expect(answers).toEqual(lines.filter((line) => line.startsWith("< ")).map((line) => line.slice(2)));
    const exitCode = child.exitCode ?? (await new Promise((resolve) => child.once("exit", resolve)));
    expect(exitCode).toBe(0);
  });
});
