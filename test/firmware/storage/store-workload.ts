/** What Raft and a board ask of a store, at random, as outputs of the core and as the smallest parts that a power cut may leave of them. */
import fc from "fast-check";
import { BoardStore, type StateListener } from "../../../firmware/storage/board-store.ts";
import { type OwnKind, RecordKind } from "../../../firmware/storage/record.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { concat } from "../../../protocols/cbor/sequence.ts";
import { configurationToEntry } from "../../../protocols/raft/membership.ts";
import type {
  AppendRequest,
  Entry,
  RaftOutput,
  SnapshotChunk,
  SnapshotItem,
} from "../../../protocols/raft/types.ts";
import { EntryKind } from "../../../protocols/raft/types.ts";
import { StateMap } from "../../../protocols/state/apply.ts";
import { adoptionToData, draftKey } from "../../../protocols/state/draft.ts";
import { putsToData } from "../../../protocols/state/puts.ts";
import type { FlashModel } from "./flash-model.ts";
import { noOutput, type StoreModel, sha256 } from "./store-model.ts";

export const owner = { swarm: "greenhouse", board: "north-1" };
export const sectorBytes = 512;
/** The last two have the same hash. */
export const keys = ["fan.duty", "heater.on", "program/north-1", "2kx2kk.f19708", "403uiz.f30565"];
export const deaf: StateListener = { onStateChange() {} };

/** Every store of a test draws the next incarnation, so that a new member shows. */
export function randomFrom(first: number) {
  let next = first;
  return {
    fill(into: Uint8Array) {
      into.fill(0);
      into[3] = next++;
    },
  };
}

export function open(flash: FlashModel, incarnation = 1): BoardStore {
  return new BoardStore(flash, owner, randomFrom(incarnation), sha256);
}

type Value = number | boolean | Uint8Array | null;

/** What an entry is to be. */
export type Content =
  | { readonly is: "put"; readonly key: number; readonly value: Value; readonly hasId: boolean }
  | { readonly is: "puts"; readonly values: readonly (readonly [number, Value])[] }
  | Draft
  /** An entry that adopts the last draft whose pieces were put, whether or not they are there. */
  | { readonly is: "adoption" }
  | { readonly is: "membership"; readonly voters: number }
  | { readonly is: "other"; readonly kind: number; readonly data: Uint8Array };

/** Puts of the pieces of a draft, one of them left out perhaps, then an entry that adopts it. */
interface Draft {
  readonly is: "draft";
  readonly values: readonly (readonly [number, Exclude<Value, null>])[];
  readonly pieceBytes: number;
  /** More than there are for none. */
  readonly without: number;
  readonly isAdopted: boolean;
}

/** One thing that is asked of a store. */
export type Step =
  | { readonly do: "vote" }
  | {
      readonly do: "append";
      readonly back: number;
      readonly contents: readonly Content[];
      readonly newTerm: boolean;
    }
  | { readonly do: "commit"; readonly ahead: number }
  | { readonly do: "chunk"; readonly count: number; readonly fresh: Fresh | undefined }
  /** Saved again and again, which makes the ring go round while the log stands still. */
  | { readonly do: "checkpoint"; readonly parts: readonly Uint8Array[]; readonly times: number }
  | { readonly do: "crashes"; readonly count: number }
  | { readonly do: "keep"; readonly bytes: Uint8Array }
  | { readonly do: "take" }
  | { readonly do: "own"; readonly kind: OwnKind; readonly bytes: Uint8Array }
  | { readonly do: "tidy" };

/** A new snapshot: so many entries ahead of the applied one, with these values. */
interface Fresh {
  readonly ahead: number;
  readonly values: readonly (readonly [number, Exclude<Value, null>])[];
}

const value = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.boolean(), fc.uint8Array({ maxLength: 60 }));
const key = fc.nat(keys.length - 1);
const content: fc.Arbitrary<Content> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      is: fc.constant("put" as const),
      key,
      value: fc.oneof({ weight: 4, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) }),
      hasId: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant("puts" as const),
      values: fc.uniqueArray(
        fc.tuple(key, fc.oneof({ weight: 3, arbitrary: value }, { weight: 1, arbitrary: fc.constant(null) })),
        { minLength: 1, maxLength: 5, selector: ([at]) => at },
      ),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      is: fc.constant("draft" as const),
      values: fc.uniqueArray(fc.tuple(key, value), { minLength: 1, maxLength: 5, selector: ([at]) => at }),
      pieceBytes: fc.integer({ min: 20, max: 120 }),
      without: fc.oneof({ weight: 5, arbitrary: fc.constant(99) }, { weight: 1, arbitrary: fc.nat(2) }),
      isAdopted: fc.oneof(
        { weight: 4, arbitrary: fc.constant(true) },
        { weight: 1, arbitrary: fc.constant(false) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ is: "adoption" } as const) },
  { weight: 1, arbitrary: fc.record({ is: fc.constant("membership" as const), voters: fc.nat(3) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      is: fc.constant("other" as const),
      kind: fc.constantFrom(0, 1, 2, 4, 5, 9),
      data: fc.uint8Array({ maxLength: 10 }),
    }),
  },
);

export const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ do: "vote" } as const) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("append" as const),
      back: fc.oneof(
        { weight: 4, arbitrary: fc.constant(0) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 4 }) },
      ),
      contents: fc.array(content, { minLength: 1, maxLength: 4 }),
      newTerm: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant("commit" as const), ahead: fc.integer({ min: 1, max: 6 }) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("chunk" as const),
      count: fc.integer({ min: 0, max: 4 }),
      fresh: fc.option(
        fc.record({
          ahead: fc.integer({ min: 1, max: 9 }),
          values: fc.array(fc.tuple(key, value), { maxLength: 5 }),
        }),
        { freq: 2, nil: undefined },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("checkpoint" as const),
      parts: fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      times: fc.oneof(
        { weight: 3, arbitrary: fc.constant(1) },
        { weight: 1, arbitrary: fc.integer({ min: 2, max: 40 }) },
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("crashes" as const), count: fc.nat(5) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("keep" as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "take" } as const) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("own" as const),
      kind: fc.constantFrom<OwnKind>(RecordKind.promises, RecordKind.registers),
      bytes: fc.uint8Array({ maxLength: 100 }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "tidy" } as const) },
);

export const workload = (length: number) => fc.array(step, { minLength: length, maxLength: length });

/** A step worked out against what the store holds. */
export interface Task {
  /** Whether it was done: the store had room for it. */
  perform(store: BoardStore): boolean;
  /** Does the same to the model, calling `between` after each part of it that a power cut may leave behind. */
  model(model: StoreModel, between: () => void): void;
}

/** Makes steps into tasks, and is the leader that sends snapshots. */
export class Workload {
  #sent: { index: number; indexTerm: number; hash: Uint8Array; items: readonly SnapshotItem[] } | undefined;
  #snapshots = 0;
  /** Of the last draft. */
  #adoption = adoptionData(new Uint8Array(1), 1, 1);
  #terms = 1;

  task(asked: Step, store: BoardStore): Task {
    switch (asked.do) {
      case "vote": {
        const term = ++this.#terms;
        return written({ ...noOutput, hardState: { term, vote: `host-${term % 3}.0` } }, () => true);
      }
      case "append":
        return this.#append(asked, store);
      case "commit": {
        const target = Math.min(store.lastIndex, store.appliedIndex + asked.ahead);
        return {
          perform(store) {
            store.makeRoom(undefined);
            store.commit(target, deaf);
            return true;
          },
          model(model, between) {
            while (model.applied < target) {
              model.commit(model.applied + 1);
              between();
            }
          },
        };
      }
      case "chunk":
        return this.#chunk(asked, store);
      case "checkpoint":
        return alone(
          (store) => {
            let isSaved = false;
            for (let i = 0; i < asked.times; i++) isSaved = store.saveCheckpoint(asked.parts) || isSaved;
            return isSaved;
          },
          (model) => {
            model.checkpoint = asked.parts;
          },
        );
      case "crashes":
        return alone(
          (store) => {
            store.noteCrashes(asked.count);
            return true;
          },
          (model) => {
            model.crashes = asked.count;
          },
        );
      case "keep":
        return alone(
          (store) => store.keep(asked.bytes),
          (model) => {
            model.kept = asked.bytes;
          },
        );
      case "take":
        return alone(
          (store) => {
            const { kept } = store;
            const taken = store.takeKept();
            if (taken === undefined && kept !== undefined) return false;
            if (`${taken}` !== `${kept}`) throw new Error("Other bytes were taken than were kept.");
            return true;
          },
          (model) => {
            model.kept = undefined;
          },
        );
      case "own":
        return alone(
          (store) => store.keepOwn(asked.kind, asked.bytes),
          (model) => model.own.set(asked.kind, asked.bytes),
        );
      case "tidy":
        return alone(
          (store) => {
            store.tidy();
            return true;
          },
          () => {},
        );
    }
  }

  #append(asked: Step & { do: "append" }, store: BoardStore): Task {
    const prevLogIndex = Math.max(store.appliedIndex, store.lastIndex - asked.back);
    const isNew = asked.newTerm || prevLogIndex < store.lastIndex || this.#terms === 1;
    const term = isNew ? ++this.#terms : this.#terms;
    const entries = asked.contents
      .flatMap((each) => this.#commands(each))
      .map((each, i) => entryOf(each, prevLogIndex + 1 + i, term));
    const truncateFrom = prevLogIndex < store.lastIndex ? prevLogIndex + 1 : 0;
    const hardState = isNew ? { term, vote: undefined } : undefined;
    const request: AppendRequest = {
      type: "append-request",
      from: "host-1.0",
      to: store.memberId,
      term,
      prevLogIndex,
      prevLogTerm: store.termAt(prevLogIndex)!,
      prevHash: store.hashAt(prevLogIndex)!,
      commitIndex: 0,
      readRound: 0,
      entries,
    };
    return written({ ...noOutput, hardState, truncateFrom, entries }, (store) => store.makeRoom(request));
  }

  /** What the entries of `content` are to be, one by one. */
  #commands(content: Content): Command[] {
    if (content.is === "adoption") return [{ is: "other", kind: EntryKind.adoption, data: this.#adoption }];
    if (content.is !== "draft") return [content];
    const { values, pieceBytes, without, isAdopted } = content;
    const bytes = draftBytes(values);
    const pieces: Command[] = [];
    for (let at = 0; at < bytes.length; at += pieceBytes)
      pieces.push({ is: "piece", piece: pieces.length, value: bytes.slice(at, at + pieceBytes) });
    this.#adoption = adoptionData(bytes, pieces.length, values.length);
    if (without < pieces.length) pieces.splice(without, 1);
    return isAdopted ? [...pieces, { is: "other", kind: EntryKind.adoption, data: this.#adoption }] : pieces;
  }

  #chunk({ count, fresh }: Step & { do: "chunk" }, store: BoardStore): Task {
    const isOver = this.#sent === undefined || this.#sent.index <= store.appliedIndex;
    if (fresh !== undefined || isOver) this.#sent = this.#snapshot(fresh ?? { ahead: 1, values: [] }, store);
    const { index, indexTerm, hash, items } = this.#sent!;
    const isStaged = store.staged?.index === index && Buffer.from(store.staged.hash).equals(hash);
    const first = isStaged ? store.staged!.items : 0;
    const isLast = first + count >= items.length;
    const chunk: SnapshotChunk = {
      type: "snapshot-chunk",
      from: "host-1.0",
      to: store.memberId,
      term: indexTerm,
      index,
      indexTerm,
      hash,
      first,
      items: items.slice(first, first + count),
      isLast,
    };
    return written({ ...noOutput, snapshot: chunk }, (store) => store.makeRoom(chunk));
  }

  #snapshot({ ahead, values }: Fresh, store: BoardStore) {
    const state = new StateMap();
    for (const [at, value] of values) {
      state.apply({ kind: EntryKind.put, version: 1, data: encodeCbor([keys[at]!, value]) });
    }
    const membership = entryOf({ is: "membership", voters: values.length % 4 }, 0, 0);
    const items = [membership, ...state.sortedKeys().map((key) => state.item(key))];
    const hash = sha256(Uint8Array.of(++this.#snapshots)).slice(0, 16);
    return { index: store.appliedIndex + ahead, indexTerm: this.#terms, hash, items };
  }
}

/** What one entry is to be. */
type Command =
  | Exclude<Content, Draft | { readonly is: "adoption" }>
  | { readonly is: "piece"; readonly piece: number; readonly value: Uint8Array };

function draftBytes(values: Draft["values"]): Uint8Array {
  const sorted = values
    .map(([at, value]) => [keys[at]!, value] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return concat(...sorted.map((put) => encodeCbor(put)));
}

function adoptionData(bytes: Uint8Array, pieces: number, puts: number): Uint8Array {
  return adoptionToData(new Uint8Array(8), { pieces, puts, bytes: bytes.length });
}

function alone(perform: (store: BoardStore) => boolean, change: (model: StoreModel) => void): Task {
  return {
    perform,
    model(model, between) {
      change(model);
      between();
    },
  };
}

/** One output of the core: its parts may be in flash up to any of them. */
function written(output: RaftOutput, hasRoom: (store: BoardStore) => boolean): Task {
  return {
    perform(store) {
      if (!store.makeRoom(undefined) || !hasRoom(store)) return false;
      store.write(output);
      return true;
    },
    model(model, between) {
      for (const part of partsOf(output)) {
        model.write(part);
        between();
      }
    },
  };
}

function partsOf({ hardState, truncateFrom, entries, snapshot }: RaftOutput): RaftOutput[] {
  const parts: RaftOutput[] = [];
  if (hardState !== undefined) parts.push({ ...noOutput, hardState });
  if (truncateFrom > 0) parts.push({ ...noOutput, truncateFrom });
  for (const entry of entries) parts.push({ ...noOutput, entries: [entry] });
  if (snapshot === undefined) return parts;
  const { first, items, isLast } = snapshot;
  const chunk = (at: number, items: readonly SnapshotItem[], isLast: boolean) => {
    parts.push({ ...noOutput, snapshot: { ...snapshot, first: at, items, isLast } });
  };
  if (first === 0) chunk(0, [], false);
  for (let i = 0; i < items.length; i++)
    if (first + i > 0 || parts.length > 0) chunk(first + i || -1, [items[i]!], false);
  if (isLast) chunk(first + items.length || -1, [], true);
  return parts;
}

function entryOf(content: Command, index: number, term: number): Entry {
  const place = { index, term };
  switch (content.is) {
    case "put": {
      const id = new Uint8Array(8).fill(index);
      const put = [keys[content.key]!, content.value, ...(content.hasId ? [id] : [])];
      return { ...place, kind: EntryKind.put, version: 1, data: encodeCbor(put) };
    }
    case "puts": {
      const values = content.values.map(([at, value]) => ({ key: keys[at]!, value: value ?? undefined }));
      const data = putsToData(new Uint8Array(8).fill(index), values);
      return { ...place, kind: EntryKind.puts, version: 1, data };
    }
    case "piece": {
      const data = encodeCbor([draftKey(content.piece), content.value]);
      return { ...place, kind: EntryKind.put, version: 1, data };
    }
    case "membership": {
      const voters = ["north-1.00000001", "host-1.0", "host-2.0", "south-1.0"].slice(0, content.voters + 1);
      const none = { outgoing: [], learners: [], learnersNext: [], autoLeave: false };
      const { version, data } = configurationToEntry({ voters, ...none });
      return { ...place, kind: EntryKind.membership, version, data };
    }
    case "other":
      return { ...place, kind: content.kind, version: 1, data: content.data };
  }
}
