import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkLinearizable, faultToText } from "./check.ts";
import type { HistoryEvent, Operation, Value } from "./history.ts";
import { HistoryMalformed, historyFromText, historyToText, operationsOf } from "./history.ts";

/**
 * A history in short: `1 w a` invokes process 1's write of a, `1 ok` ends it, `1 r` and `1 ok a` read, `1 cas a b`, then `1 ok`, `1 fail`,
 * `1 refused` or `1 info`; `-` is no value; a key other than x goes before: `1 y:w a`.
 */
function history(...lines: string[]): HistoryEvent[] {
  const open = new Map<number, HistoryEvent>();
  return lines.map((line, time) => {
    const [number, word, ...values] = line.split(" ");
    const process = Number(number);
    const value = (text: string | undefined): Value => (text === undefined || text === "-" ? null : text);
    const [key, f] = word!.includes(":") ? word!.split(":") : ["x", word];
    const invoked = open.get(process);
    if (invoked === undefined) {
      const name = f === "w" ? "write" : f === "r" ? "read" : "cas";
      const both = [value(values[0]), value(values[1])] as const;
      const event = {
        process,
        type: "invoke",
        f: name,
        key: key!,
        value: name === "cas" ? both : both[0],
        time,
      } as const;
      open.set(process, event);
      return event;
    }
    open.delete(process);
    const refused = f === "refused";
    const type = refused ? "fail" : (f as "ok" | "fail" | "info");
    const seen = invoked.f === "read" ? value(values[0]) : invoked.value;
    return { ...invoked, type, value: seen, time, ...(refused ? { refused } : {}) };
  });
}

const kindOf = (...lines: string[]) => checkLinearizable(history(...lines)).kind;

describe("histories known to be linearizable", () => {
  it.each([
    ["none at all", []],
    [
      "one after the other",
      ["1 r", "1 ok -", "1 w a", "1 ok", "2 r", "2 ok a", "2 cas a b", "2 ok", "1 r", "1 ok b"],
    ],
    ["a read beside a write sees the old value", ["1 w a", "1 ok", "1 w b", "2 r", "2 ok a", "1 ok"]],
    ["a read beside a write sees the new value", ["1 w a", "1 ok", "1 w b", "2 r", "2 ok b", "1 ok"]],
    [
      "the order of the answers is not that of the effects",
      ["1 w a", "2 w b", "1 ok", "2 ok", "3 r", "3 ok a"],
    ],
    ["a write of unknown outcome that never happened", ["1 w a", "1 ok", "2 w b", "2 info", "3 r", "3 ok a"]],
    [
      "a write of unknown outcome seen late",
      ["1 w a", "1 ok", "2 w b", "2 info", "3 r", "3 ok a", "3 r", "3 ok b"],
    ],
    ["a write without a return seen late", ["2 w b", "3 r", "3 ok -", "3 r", "3 ok b"]],
    [
      "a cas of unknown outcome seen late",
      ["1 w a", "1 ok", "2 cas a b", "2 info", "1 r", "1 ok a", "1 r", "1 ok b"],
    ],
    [
      "a cas of unknown outcome whose time never came",
      ["2 cas z b", "2 info", "1 w a", "1 ok", "1 r", "1 ok a"],
    ],
    ["a write that failed", ["1 w a", "1 fail", "2 r", "2 ok -"]],
    [
      "two cas, one refused",
      ["1 w a", "1 ok", "1 cas a b", "2 cas a c", "1 ok", "2 refused", "3 r", "3 ok b"],
    ],
    [
      "a cas refused because of a write of unknown outcome",
      ["1 w a", "1 ok", "2 w b", "2 info", "3 cas a c", "3 refused"],
    ],
    ["a cas on no value", ["1 cas - a", "1 ok", "1 r", "1 ok a"]],
    ["two keys each by itself", ["1 w a", "2 y:w b", "1 ok", "2 y:ok", "1 y:r", "1 y:ok b", "2 r", "2 ok a"]],
  ])("%s", (_, lines) => {
    expect(kindOf(...lines)).toBe("linearizable");
  });
});

describe("histories known not to be", () => {
  it.each([
    ["a stale read", ["1 w a", "1 ok", "1 w b", "1 ok", "2 r", "2 ok a"]],
    ["a lost write", ["1 w a", "1 ok", "2 r", "2 ok -"]],
    ["a cas that succeeded twice", ["1 w a", "1 ok", "1 cas a b", "2 cas a c", "1 ok", "2 ok"]],
    [
      "one read after another goes back",
      ["1 w a", "1 ok", "1 w b", "2 r", "2 ok b", "3 r", "3 ok a", "1 ok"],
    ],
    [
      "a write of unknown outcome that happened twice",
      ["2 w b", "2 info", "1 r", "1 ok b", "1 w a", "1 ok", "1 r", "1 ok b"],
    ],
    ["a write of unknown outcome seen before it was asked for", ["1 r", "1 ok b", "2 w b", "2 info"]],
    [
      "a write of unknown outcome that came and went",
      ["1 w a", "1 ok", "2 w b", "2 info", "1 r", "1 ok b", "1 r", "1 ok a"],
    ],
    ["a failed write is seen", ["1 w a", "1 fail", "2 r", "2 ok a"]],
    ["a value from nowhere", ["1 r", "1 ok a"]],
    ["a cas refused though nothing else was there", ["1 w a", "1 ok", "2 cas a b", "2 refused"]],
    ["a cas on a value that was never there", ["1 w a", "1 ok", "2 cas b c", "2 ok"]],
    ["one key of two", ["1 w a", "1 ok", "2 y:w b", "2 y:ok", "1 r", "1 ok a", "2 y:r", "2 y:ok -"]],
  ])("%s", (_, lines) => {
    expect(kindOf(...lines)).toBe("not linearizable");
  });

  it("the report names the operation that nothing explains, and what was there", () => {
    const [fault] = checkLinearizable(history("1 w a", "1 ok", "1 w b", "1 ok", "2 r", "2 ok a")).faults;
    expect(fault!.possibleValues).toEqual(["b"]);
    expect(faultToText(fault!)).toBe(`process 2 read x "a" [4, 5] cannot be explained: x held "b" then.
  process 1 write x "a" [0, 1]
  process 1 write x "b" [2, 3]
  process 2 read x "a" [4, 5]`);
  });
});

describe("the search", () => {
  it("agrees with trying every order, on random histories", () => {
    const verdicts = { linearizable: 0, "not linearizable": 0, undecided: 0 };
    fc.assert(
      fc.property(randomHistory, (events) => {
        const { kind } = checkLinearizable(events);
        verdicts[kind]++;
        expect(kind === "linearizable").toBe(isExplainedBySomeOrder(operationsOf(events)));
      }),
      { numRuns: 3_000, seed: 4 },
    );
    expect(verdicts.linearizable).toBeGreaterThan(300);
    expect(verdicts["not linearizable"]).toBeGreaterThan(300);
  });

  it("decides a long history with many operations of unknown outcome", () => {
    const lines: string[] = [];
    for (let i = 0; i < 5_000; i++) {
      lines.push(`1 w v${i}`, "1 ok", "2 r", `2 ok v${i}`);
      if (i % 50 === 0) lines.push(`${1000 + i} w lost${i}`, `${1000 + i} info`);
    }
    expect(kindOf(...lines)).toBe("linearizable");
    expect(kindOf(...lines, "3 r", "3 ok lost50", "3 r", "3 ok lost4950")).toBe("linearizable");
    expect(kindOf(...lines, "3 r", "3 ok lost50", "3 r", "3 ok v4999")).toBe("not linearizable");
  });

  it("says so when there are more explanations than it may keep", () => {
    const writers = Array.from({ length: 12 }, (_, i) => `${i} w v${i}`);
    const returns = writers.map((_, i) => `${i} ok`);
    const { kind, undecidedKeys } = checkLinearizable(history(...writers, ...returns), 1_000);
    expect({ kind, undecidedKeys }).toEqual({ kind: "undecided", undecidedKeys: ["x"] });
  });
});

describe("a history as text", () => {
  it("comes back as it was", () => {
    const events = history("1 w a", "2 cas a b", "1 ok", "2 refused");
    expect(historyFromText(historyToText(events))).toEqual(events);
  });

  it.each([
    ["no JSON", "{", "it is no JSON"],
    [
      "an unknown function",
      '{"process":1,"type":"ok","f":"add","key":"x","value":1,"time":0}',
      '"f" must be',
    ],
    [
      "a cas of one value",
      '{"process":1,"type":"ok","f":"cas","key":"x","value":1,"time":0}',
      "two plain values",
    ],
  ])("%s is refused", (_, line, what) => {
    expect(() => historyFromText(`\n${line}\n`)).toThrow(what);
    expect(() => historyFromText(`\n${line}\n`)).toThrow("Line 2 of the history: ");
  });

  it("a return without an invocation is refused", () => {
    const [, ok] = history("1 w a", "1 ok");
    expect(() => operationsOf([ok!])).toThrow(HistoryMalformed);
  });

  it("is checked from a file", () => {
    const folder = mkdtempSync(join(tmpdir(), "covey-history-"));
    try {
      const main = fileURLToPath(new URL("main.ts", import.meta.url));
      const run = (events: HistoryEvent[]) => {
        writeFileSync(join(folder, "history.jsonl"), historyToText(events));
        return execFileSync(process.execPath, [main, join(folder, "history.jsonl")], { encoding: "utf8" });
      };
      expect(run(history("1 w a", "1 ok", "1 r", "1 ok a"))).toBe("linearizable: 2 operations on 1 keys\n");
      expect(() => run(history("1 w a", "1 ok", "1 r", "1 ok -"))).toThrow("Command failed");
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Few values, so that answers are often right by chance. */
const randomHistory = fc
  .array(
    fc.record({
      process: fc.integer({ min: 1, max: 3 }),
      f: fc.constantFrom("w", "r", "cas"),
      value: fc.constantFrom("a", "b"),
      other: fc.constantFrom("a", "-"),
      end: fc.constantFrom("ok", "ok", "ok", "info", "refused", "fail"),
    }),
    { maxLength: 12 },
  )
  .map((steps) => {
    const open = new Map<number, string>();
    const lines: string[] = [];
    for (const { process, f, value, other, end } of steps) {
      const running = open.get(process);
      if (running === undefined) {
        lines.push(f === "cas" ? `${process} cas ${other} ${value}` : `${process} ${f} ${value}`);
        open.set(process, f);
      } else {
        const result = running === "cas" || end !== "refused" ? end : "ok";
        lines.push(running === "r" ? `${process} ${result} ${other}` : `${process} ${result}`);
        open.delete(process);
      }
    }
    return history(...lines);
  });

/** The definition itself: some order of the operations, each before whatever was invoked after it returned, in which every answer is right. */
function isExplainedBySomeOrder(operations: readonly Operation[], value: Value = null): boolean {
  if (operations.every(({ outcome }) => outcome === "unknown")) return true;
  const firstReturn = Math.min(...operations.map(({ returned }) => returned));
  return operations.some((operation) => {
    if (operation.invoked > firstReturn) return false;
    const { f, expected, outcome } = operation;
    let after = value;
    if (f === "write") after = operation.value;
    else if (f === "read" && operation.value !== value) return false;
    else if (f === "cas" && outcome === "refused" && value === expected) return false;
    else if (f === "cas" && outcome === "done" && value !== expected) return false;
    else if (f === "cas" && outcome !== "refused" && value === expected) after = operation.value;
    const rest = operations.filter((each) => each !== operation);
    return isExplainedBySomeOrder(rest, after);
  });
}
