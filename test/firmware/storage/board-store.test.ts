import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoardStore, type StateListener, storeLimits } from "../../../firmware/storage/board-store.ts";
import { FlashDamaged } from "../../../firmware/storage/flash-damaged.ts";
import { hashOf } from "../../../firmware/storage/key-index.ts";
import { RecordKind, RecordWriter } from "../../../firmware/storage/record.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import type { AppendRequest, Entry, RaftOutput } from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import type { StateValue } from "../../../protocols/state/command.ts";
import { FlashModel, PowerCut } from "./flash-model.ts";

const owner = { swarm: "greenhouse", board: "north-1" };
const sectorBytes = 512;
/** The last two have the same hash. */
const keys = ["fan.duty", "heater.on", "program/north-1", "2kx2kk.f19708", "403uiz.f30565"];
/** Random workloads that lose their power at every byte. */
const workloadsTried = 8;
const deaf: StateListener = { onStateChange() {} };

/** Every store of a test draws the next incarnation, so that a new member shows. */
function randomFrom(first: number) {
  let next = first;
  return {
    fill(into: Uint8Array) {
      into.fill(0);
      into[3] = next++;
    },
  };
}
const open = (flash: FlashModel, incarnation = 1) => new BoardStore(flash, owner, randomFrom(incarnation));

/** Everything that a board must not forget, as text. */
function contents(store: BoardStore): string {
  const terms: (number | undefined)[] = [];
  for (let index = store.appliedIndex; index <= store.lastIndex; index++) terms.push(store.termAt(index));
  const state = keys.map((key) => [key, shown(store.get(key))]);
  const checkpoint: number[][] = [];
  for (let part = 0; part < store.checkpointParts; part++) checkpoint.push([...store.checkpointPart(part)]);
  return JSON.stringify({
    id: store.memberId,
    hard: store.hardState,
    applied: store.appliedIndex,
    terms,
    state,
    checkpoint,
    crashes: store.crashes,
  });
}
function shown(value: StateValue | undefined): unknown {
  return value instanceof Uint8Array ? `bytes ${value.join(" ")}` : value;
}

/** One thing that Raft asks of a board. */
type Step =
  | { readonly do: "vote" }
  | { readonly do: "append"; readonly keyed: readonly (readonly [number, StateValue | null])[] }
  | { readonly do: "truncate"; readonly back: number }
  | { readonly do: "commit"; readonly ahead: number }
  | { readonly do: "checkpoint"; readonly parts: readonly Uint8Array[] }
  | { readonly do: "crashes"; readonly count: number }
  | { readonly do: "tidy" };

const values = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.boolean(),
  fc.uint8Array({ maxLength: 60 }),
  fc.constant(null),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: "vote" } as const) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      keyed: fc.array(fc.tuple(fc.nat(keys.length - 1), values), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("truncate" as const), back: fc.integer({ min: 1, max: 4 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("commit" as const), ahead: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("checkpoint" as const),
      parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crashes" as const), count: fc.nat(5) }) },
  { weight: 1, arbitrary: fc.constant({ do: "tidy" } as const) },
);

const workloads = (length: number) => fc.array(steps, { minLength: length, maxLength: length });

/** Does one step as a driver does; calls `between` at each point where a power cut may leave the flash. */
function perform(store: BoardStore, step: Step, between: () => void): void {
  const output = (part: Partial<RaftOutput>): RaftOutput => ({
    hardState: undefined,
    truncateFrom: 0,
    entries: [],
    messages: [],
    commitIndex: 0,
    violation: undefined,
    ...part,
  });
  const { term } = store.hardState;
  switch (step.do) {
    case "vote":
      expect(store.makeRoom(undefined)).toBe(true);
      store.write(output({ hardState: { term: term + 1, vote: `host-${term % 3}.0` } }));
      break;
    case "append": {
      const entries = step.keyed.map(
        ([key, value], i): Entry => ({
          index: store.lastIndex + 1 + i,
          term: Math.max(1, term),
          kind: EntryKind.put,
          version: 1,
          data: encodeCbor([keys[key]!, value]),
        }),
      );
      if (!store.makeRoom(request(store.lastIndex, entries))) break;
      for (const entry of entries) {
        store.write(output({ entries: [entry] }));
        between();
      }
      break;
    }
    case "truncate": {
      const from = Math.max(store.appliedIndex, store.lastIndex - step.back) + 1;
      expect(store.makeRoom(undefined)).toBe(true);
      if (from <= store.lastIndex) store.write(output({ truncateFrom: from }));
      break;
    }
    case "commit":
      expect(store.makeRoom(undefined)).toBe(true);
      store.commit(Math.min(store.lastIndex, store.appliedIndex + step.ahead), deaf);
      break;
    case "checkpoint":
      store.saveCheckpoint(step.parts);
      break;
    case "crashes":
      store.noteCrashes(step.count);
      break;
    case "tidy":
      store.tidy();
  }
  between();
}

function request(prevLogIndex: number, entries: readonly Entry[]): AppendRequest {
  return {
    type: "append-request",
    readRound: 0,
    from: "host.0",
    to: "north-1.0",
    term: 1,
    prevLogIndex,
    prevLogTerm: 1,
    commitIndex: 0,
    entries,
  };
}

test("the last two keys do have the same hash", () => {
  expect(hashOf(keys[3]!)).toBe(hashOf(keys[4]!));
});

describe("the power fails at every byte of every write and within every erase", () => {
  test("nothing acknowledged is lost, nothing torn is believed", () => {
    let cuts = 0;
    fc.assert(
      fc.property(workloads(60), workloads(25), (past, workload) => {
        const flash = FlashModel.blank(6, sectorBytes);
        const old = open(flash);
        for (const step of past) perform(old, step, () => {});
        expect(old.erases).toBeGreaterThan(0);
        for (const step of workload) {
          const before = flash.reboot();
          // What the flash may hold after a cut: the state before the step, or after any part of it.
          const store = open(flash);
          const allowed = [contents(store)];
          if (step.do === "commit") {
            const eachAlone = open(before.reboot());
            for (let i = 0; i < step.ahead; i++) {
              perform(eachAlone, { do: "commit", ahead: 1 }, () => allowed.push(contents(eachAlone)));
            }
          }
          flash.spent = 0;
          perform(store, step, () => allowed.push(contents(store)));
          for (let power = 0; power < flash.spent; power++) {
            const cut = before.reboot();
            const victim = open(cut);
            cut.power = power;
            expect(() => perform(victim, step, () => {})).toThrow(PowerCut);
            const survivor = open(cut.reboot(), 99);
            expect(survivor.recovery.kind).toBe("recovered");
            expect(allowed).toContain(contents(survivor));
            cuts++;
          }
          expect(contents(open(flash.reboot(), 99))).toBe(allowed.at(-1));
        }
      }),
      { numRuns: workloadsTried, endOnFailure: true },
    );
    expect(cuts).toBeGreaterThan(1000 * workloadsTried);
  });

  test("nor during the recovery that follows such a cut", () => {
    const flash = FlashModel.blank(6, sectorBytes);
    const store = open(flash);
    for (let i = 0; i < 3; i++) perform(store, { do: "append", keyed: [[i, 40]] }, () => {});
    const before = flash.reboot();
    const kept = contents(open(before.reboot()));
    // Begins a sector.
    const step = { do: "truncate", back: 1 } as const;
    perform(store, step, () => {});
    const done = contents(store);
    let recoveryCuts = 0;
    for (let power = 0; power < flash.spent; power++) {
      const torn = before.reboot();
      const victim = open(torn);
      torn.power = power;
      try {
        perform(victim, step, () => {});
      } catch (error) {
        expect(error).toBeInstanceOf(PowerCut);
      }
      const whole = torn.reboot();
      const survivor = contents(open(whole, 99));
      expect([kept, done]).toContain(survivor);
      for (let again = 0; again < whole.spent; again++) {
        const cut = torn.reboot();
        cut.power = again;
        expect(() => open(cut, 99)).toThrow(PowerCut);
        expect(contents(open(cut.reboot(), 99))).toBe(survivor);
        recoveryCuts++;
      }
    }
    expect(recoveryCuts).toBeGreaterThan(0);
  });

  test("nor during the first formatting, which then begins anew", () => {
    const whole = FlashModel.blank(6, sectorBytes);
    open(whole);
    for (let power = 0; power < whole.spent; power++) {
      const cut = FlashModel.blank(6, sectorBytes);
      cut.power = power;
      expect(() => open(cut)).toThrow(PowerCut);
      const next = open(cut.reboot(), 7);
      expect(next.recovery.kind).toBe("formatted");
      expect(next.memberId).toBe("north-1.00000007");
    }
  });
});

describe("damage", () => {
  const grown = () => {
    const flash = FlashModel.blank(6, sectorBytes);
    const store = open(flash);
    const workload = fc.sample(fc.array(steps, { minLength: 40, maxLength: 40 }), {
      seed: 7,
      numRuns: 1,
    })[0]!;
    for (const step of workload) perform(store, step, () => {});
    return flash;
  };

  /** What a board of this flash would answer; undefined when it finds damage in the attempt, and notes it. */
  function answers(store: BoardStore): string | undefined {
    try {
      return contents(store);
    } catch (error) {
      if (!(error instanceof FlashDamaged)) throw error;
      store.condemn(error.message);
      return undefined;
    }
  }

  test("a flipped bit anywhere is found, or was in nothing that counts: never a wrong answer", () => {
    const flash = grown();
    const kept = contents(open(flash.reboot()));
    let found = 0;
    for (let at = 0; at < flash.sizeBytes; at++) {
      const rotten = flash.reboot();
      rotten.bytes[at]! ^= 1 << (at % 8);
      const first = open(rotten, 99);
      const served = answers(first);
      const store = served === undefined ? open(rotten.reboot(), 99) : first;
      if (store.recovery.kind === "damaged") {
        found++;
        expect(store.memberId).toBe("north-1.00000063");
        expect([store.lastIndex, store.appliedIndex, store.size]).toEqual([0, 0, 0]);
      } else {
        expect(served).toBe(kept);
      }
    }
    expect(found).toBeGreaterThan(300);
  });

  test("a sector that lost everything is found, be it the first, the last or between", () => {
    const flash = FlashModel.blank(64, sectorBytes);
    const store = open(flash);
    for (let i = 0; i < 100; i++) perform(store, { do: "append", keyed: [[i % keys.length, i]] }, () => {});
    const last = Math.floor(flash.bytes.findLastIndex((byte) => byte !== 0xff) / sectorBytes);
    expect(last).toBeGreaterThan(5);
    for (let sector = 1; sector <= last; sector++) {
      const rotten = flash.reboot();
      rotten.bytes.fill(0xff, sector * sectorBytes, (sector + 1) * sectorBytes);
      expect(open(rotten, 99).recovery.kind).toBe("damaged");
    }
  });

  test("what another format left is refused with a sentence that says so", () => {
    const flash = FlashModel.blank(6, sectorBytes);
    open(flash);
    const header = new RecordWriter().frame(RecordKind.header, 1, 0, encodeCbor([3, 1, []]), 0);
    const newer = FlashModel.blank(6, sectorBytes);
    newer.write(sectorBytes, header);
    expect(open(newer).recovery).toEqual({
      kind: "damaged",
      what: "The flash is damaged: it is written in format 3, this firmware reads 2.",
    });
  });

  test("flash full of something else is refused, then formatted once", () => {
    const flash = new FlashModel(
      new Uint8Array(6 * sectorBytes).map((_, i) => i * 7),
      sectorBytes,
    );
    expect(open(flash).recovery).toMatchObject({ kind: "damaged" });
    expect(open(flash.reboot()).recovery.kind).toBe("recovered");
  });

  test("flash of another board makes a new member", () => {
    const flash = grown();
    const store = new BoardStore(flash, { ...owner, board: "south-1" }, randomFrom(5));
    expect(store.recovery).toEqual({ kind: "foreign", owner: "greenhouse/north-1" });
    expect(store.memberId).toBe("south-1.00000005");
    expect(store.hardState).toEqual({ term: 0, vote: undefined });
  });
});

describe("limits", () => {
  const put = (index: number, key: string, value: StateValue): Entry => ({
    index,
    term: 1,
    kind: EntryKind.put,
    version: 1,
    data: encodeCbor([key, value]),
  });
  const write = (store: BoardStore, entry: Entry) => {
    if (!store.makeRoom(request(store.lastIndex, [entry]))) return false;
    store.write({
      hardState: undefined,
      truncateFrom: 0,
      entries: [entry],
      messages: [],
      commitIndex: 0,
      violation: undefined,
    });
    return true;
  };

  test("a state that no longer fits is refused before it is written, and what is there stays", () => {
    const store = open(FlashModel.blank(6, sectorBytes));
    let index = 0;
    while (write(store, put(index + 1, `key.${index}`, new Uint8Array(100)))) store.commit(++index, deaf);
    expect(index).toBeGreaterThan(3);
    expect(store.size).toBe(index);
    expect(store.get("key.0")).toEqual(new Uint8Array(100));
    // A commit and a vote still fit.
    perform(store, { do: "vote" }, () => {});
  });

  test("more entries than the log holds beyond the applied ones are refused", () => {
    const store = open(FlashModel.blank(64, 4096));
    let index = 0;
    while (write(store, put(index + 1, "fan.duty", index))) index++;
    expect(index).toBe(storeLimits.entriesMax);
    store.commit(1, deaf);
    expect(write(store, put(index + 1, "fan.duty", 1))).toBe(true);
    expect(store.lastIndex).toBe(storeLimits.entriesMax + 1);
  });

  test("wear: one sector erased for each that is filled, more or less, and every committed value is there", () => {
    const flash = FlashModel.blank(16, 4096);
    const store = open(flash);
    const changes: [string, StateValue | undefined][] = [];
    for (let index = 1; index <= 3000; index++) {
      write(store, put(index, `key.${index % 20}`, index));
      store.commit(index, { onStateChange: (key, value) => changes.push([key, value]) });
    }
    expect(changes).toHaveLength(3000);
    expect(store.get("key.19")).toBe(2999);
    const filled = flash.spent / 4096;
    expect(flash.erases).toBeLessThan(1.2 * filled + 16);
    const again = open(flash.reboot());
    expect(again.appliedIndex).toBe(3000);
    for (let i = 0; i < 20; i++) expect(again.get(`key.${i}`)).toBe(store.get(`key.${i}`));
  });
});
