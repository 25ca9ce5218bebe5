/** Mistakes that somebody could make in two-phase commit, one change of the source each: every one must be found. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import type { runWorld } from "./world.ts";

const project = join(import.meta.dirname, "../../..");
const folder = "protocols/two-phase-commit";

interface Fault {
  readonly name: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly correct: string;
  readonly broken: string;
  /** What it breaks. */
  readonly breaks: RegExp;
  readonly leaderRefuses?: boolean;
}

const faults: readonly Fault[] = [
  {
    name: "says yes before the promise is durable",
    file: "participant.ts",
    correct: "if (this.isRoomy() && this.keep()) return;",
    broken: "if (this.isRoomy()) return;",
    breaks: /promise broken|atomicity/,
  },
  {
    name: "decides before all votes are there",
    file: "coordinator.ts",
    correct: "if (silent.length === 0)",
    broken: "if (silent.length <= 1)",
    breaks: /committed without a vote/,
  },
  {
    name: "forgets the lock",
    file: "participant.ts",
    correct: "this.lock(action.set) ??",
    broken: "",
    breaks: /interleaved/,
    leaderRefuses: false,
  },
  {
    name: "lets a second decision override the first",
    file: "coordinator.ts",
    correct: 'action.phase === "begun" ? decide',
    broken: "!action.isEnded ? decide",
    breaks: /two decisions/,
  },
  {
    name: "acts on begun",
    file: "participant.ts",
    correct: "this.prepare(slot, mine, nowMs)",
    broken: "this.act(this.#standings[this.#standings.push(this.standingOf(slot, mine, nowMs)) - 1]!, nowMs)",
    breaks: /acted without a decision/,
  },
  {
    name: "forgets that it acted",
    file: "participant.ts",
    correct: "    this.keep();\n    this.#ports.hold(set);",
    broken: "    this.#ports.hold(set);",
    breaks: /acted again/,
  },
  {
    name: "takes a heuristic outcome for a yes",
    file: "coordinator.ts",
    correct: '["no", "heuristic", "settled"]',
    broken: '["heuristic"]',
    breaks: /committed without a vote|atomicity|not ended/,
  },
  {
    name: "a board that was given up acts when it is back",
    file: "participant.ts",
    correct: "if (isGivenUp(mine, this.#board)) this.letGo(slot, mine, nowMs);\n    else if",
    broken: "if",
    breaks: /acted when given up/,
  },
  {
    name: "a board that was given up does not tell what it had done",
    file: "participant.ts",
    correct: " || isGivenUp(action, board)",
    broken: "",
    breaks: /never heard of again/,
  },
  {
    name: "takes the silence of a board that was given up for an outcome",
    file: "coordinator.ts",
    correct: 'reports.get(board)?.stage ?? "yes"',
    broken: 'reports.get(board)?.stage ?? "acted"',
    breaks: /told wrongly/,
  },
];

describe("a deliberate fault is found", () => {
  it.each(faults)("$name", { timeout: 120_000 }, async (fault) => {
    const changed = await changedWorld(fault);
    let found = "";
    for (let seed = 1; seed <= 300 && found === ""; seed++) {
      const options = {
        seed,
        boards: 2 + (seed % 4),
        steps: 1_500,
        leaderRefuses: fault.leaderRefuses ?? true,
      };
      try {
        changed(options);
      } catch (error) {
        found = (error as Error).message;
      }
    }
    expect(found).toMatch(fault.breaks);
  });
});

async function changedWorld({ file, correct, broken }: Fault): Promise<typeof runWorld> {
  const copy = mkdtempSync(join(tmpdir(), "covey-changed-"));
  try {
    for (const path of ["protocols", "test/protocols/two-phase-commit/world.ts"]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(project, path), join(copy, path), { recursive: true });
    }
    writeFileSync(join(copy, "package.json"), '{"type":"module"}');
    symlinkSync(join(project, "node_modules"), join(copy, "node_modules"), "dir");
    const path = join(copy, folder, file);
    const parts = readFileSync(path, "utf8").split(correct);
    if (parts.length !== 2) throw new Error(`${file} has ${parts.length - 1} times: ${correct}`);
    writeFileSync(path, parts.join(broken));
    const main = pathToFileURL(join(copy, "test/protocols/two-phase-commit/world.ts")).href;
    return ((await import(/* @vite-ignore */ main)) as { runWorld: typeof runWorld }).runWorld;
  } finally {
    rmSync(copy, { recursive: true });
  }
}
