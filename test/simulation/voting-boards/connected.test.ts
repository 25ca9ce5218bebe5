/** Whole boards whose hosts are there: what people ask for, groups that follow each other, members that are replaced. Engine: in process, virtual time. */
import { describe, expect, it } from "vitest";
import type { RegistersDefinition } from "../../../host-tools/swarm-file/definition.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { RegisterAsk } from "../../../protocols/paxos/report.ts";
import { connected, declared, names, outputsOf, program } from "./isolated-boards.ts";

const ask = (request: number, register: string, value: RegisterAsk["value"], ifVersion?: number) => ({
  ...{ request, register, value, ifVersion, timeoutMs: 5_000 },
});

describe("a board that is asked", () => {
  it("changes and reads a register, and says what came of it", async () => {
    const voting = await connected(1);
    expect(voting.ask("n-0", ask(1, "note", "north"))).toBe(true);
    await voting.run(8_500);
    voting.ask("n-1", ask(2, "note", "south", 0));
    voting.ask("n-2", ask(3, "note", undefined));
    voting.ask("n-2", ask(4, "missing", true));
    voting.ask("n-2", ask(5, "emergency", "text"));
    await voting.run(9_000);
    const answers = voting.reports.flatMap(([board, report]) =>
      report.kind === "answer" ? [{ board, ...report, state: report.state?.value }] : [],
    );
    const north = { kind: "answer", state: "north" };
    expect(answers.sort((a, b) => a.request - b.request)).toEqual([
      { board: "n-0", request: 1, outcome: "done", ...north },
      { board: "n-1", request: 2, outcome: "conflict", ...north },
      { board: "n-2", request: 3, outcome: "done", ...north },
      { board: "n-2", request: 4, outcome: "refused", kind: "answer", state: undefined },
      { board: "n-2", request: 5, outcome: "refused", kind: "answer", state: undefined },
    ]);
    await voting.run(12_000);
    const registers = voting.registersOf(voting.leader!)!;
    expect(registers.copy("note")?.said).toMatchObject({ version: 1, value: "north", by: "n-0" });
  });

  it("makes a change once that it is asked for again, and answers again", async () => {
    const voting = await connected(2);
    for (let i = 0; i < 3; i++) {
      voting.ask("n-0", ask(1, "emergency", true));
      await voting.run(voting.swarm.nowMs + 400);
    }
    voting.ask("n-0", ask(2, "emergency", false));
    await voting.run(voting.swarm.nowMs + 1_000);
    voting.ask("n-0", ask(1, "emergency", true));
    await voting.run(voting.swarm.nowMs + 4_000);
    const outcomes = voting.reports.flatMap(([, report]) =>
      report.kind === "answer" ? [[report.request, report.outcome, report.state?.version]] : [],
    );
    expect(outcomes).toEqual([
      [1, "done", 1],
      [1, "done", 1],
      [1, "done", 1],
      [2, "done", 2],
      [1, "done", 1],
    ]);
    expect(outputsOf(voting, "horn")).toEqual([0, 0, 0]);
  });

  it("ends a connection over which garbage comes", async () => {
    const voting = await connected(3);
    const [host] = voting.swarm.hosts.filter(({ sessions }) => sessions.size > 0);
    const [session] = host!.sessions.values();
    session!.send("register", encodeCbor([1, 9]));
    await voting.run(8_200);
    expect([...host!.sessions.values()]).not.toContain(session);
  });
});

describe("a group that another one follows", () => {
  it("takes what was agreed along, and a register that it has not is none", async () => {
    const registers: { -readonly [Key in keyof RegistersDefinition]: RegistersDefinition[Key] } = {
      ...declared,
    };
    const voting = await connected(4, { registers });
    voting.ask("n-0", ask(1, "emergency", true));
    voting.ask("n-0", ask(2, "note", "kept"));
    await voting.run(9_000);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
    const { note, coordinator } = declared.names;
    registers.names = { note: note!, coordinator: coordinator! };
    await voting.run(30_000);
    const agreed = voting.registersOf(voting.leader!)!;
    expect(agreed.group?.said).toMatchObject({ epoch: 2, isClosing: false });
    expect(outputsOf(voting, "horn")).toEqual([0, 0, 0]);
    voting.ask("n-1", ask(3, "note", "anew", 1));
    voting.ask("n-1", ask(4, "emergency", false));
    await voting.run(34_000);
    expect(agreed.copy("note")?.said).toMatchObject({ epoch: 2, version: 2, value: "anew" });
    const last = voting.reports.findLast(([, report]) => report.kind === "answer" && report.request === 4);
    expect(last?.[1]).toMatchObject({ outcome: "refused" });
  });

  it("replaces a member that has lost its memory, which follows what the others know", async () => {
    const voting = await connected(5);
    voting.ask("n-0", ask(1, "emergency", true));
    await voting.run(9_000);
    const victim = voting.swarm.boards[0]!;
    victim.powerOff();
    victim.eraseFlash();
    victim.powerOn();
    await voting.run(40_000);
    const { group } = voting.registersOf(voting.leader!)!;
    expect(group?.said).toMatchObject({ epoch: 2, isClosing: false });
    expect(group?.said.members).toContain(victim.board!.memberId);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
    // And votes: the third may be gone.
    for (const host of voting.swarm.hosts) host.crash(false, true);
    voting.swarm.boards[2]!.powerOff();
    victim.reading = 90;
    await voting.run(42_000);
    victim.reading = 10;
    await voting.run(70_000);
    expect(outputsOf(voting, "fan").filter((fan) => fan === 1)).toHaveLength(1);
  });

  it("that is closing and whose hosts are gone can be read, and is open again when they are back", async () => {
    const registers: { -readonly [Key in keyof RegistersDefinition]: RegistersDefinition[Key] } = {
      ...declared,
    };
    const voting = await connected(6, { registers });
    const { note, coordinator, emergency } = declared.names;
    registers.names = { note: note!, coordinator: coordinator!, emergency: emergency!, more: note! };
    const isClosing = () =>
      voting.registersOf(voting.leader ?? voting.swarm.hosts[0]!)?.group?.said.isClosing;
    await voting.run(30_000, () => isClosing() === true);
    for (const host of voting.swarm.hosts) host.crash(false, true);
    voting.swarm.boards[1]!.reading = 90;
    await voting.run(60_000);
    expect(outputsOf(voting, "horn")).toEqual([0, 0, 0]);
    for (const host of voting.swarm.hosts) host.start();
    await voting.run(110_000);
    expect(voting.registersOf(voting.leader!)!.group?.said).toMatchObject({ epoch: 2, isClosing: false });
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1]);
  });
});

describe("boards outside the group", () => {
  const boards = [...names, "out"];

  it("read what the log has, and what the group began with before that", async () => {
    const voting = await connected(7, { boards });
    expect(outputsOf(voting, "horn")).toEqual([0, 0, 0, 0]);
    voting.ask("n-0", ask(1, "emergency", true));
    await voting.run(12_000);
    expect(outputsOf(voting, "horn")).toEqual([1, 1, 1, 1]);
    expect(outputsOf(voting, "fan")).toEqual([0, 0, 0, 0]);
  });
});

describe("a member whose program says that it sleeps", () => {
  it("stays awake, and says so", async () => {
    const voting = await connected(8, {
      programs: { ...program, sleep: { awakeMs: 2_000, everyMs: 10_000 } },
    });
    await voting.run(60_000);
    expect(voting.swarm.boards.map(({ sleeps }) => sleeps)).toEqual([0, 0, 0]);
  });
});
