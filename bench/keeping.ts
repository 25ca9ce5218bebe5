/** What keeping readings on boards costs, counted: messages and bytes of a block, the repair of a day of one series, and how evenly copies lie. `node bench/keeping.ts` */
import { decodeCbor, encodeCbor } from "../host-tools/codec/cbor.ts";
import { encodeShelf } from "../host-tools/leader/keeping/agreed-shelves.ts";
import { Mending } from "../host-tools/leader/keeping/mending.ts";
import { packBlock } from "../host-tools/leader/keeping/packed-block.ts";
import { type KeeperFacts, placeShelves, type Wanted } from "../host-tools/leader/keeping/placing.ts";
import { Questions } from "../host-tools/leader/keeping/questions.ts";
import { type KeptBlock, keepingLimits } from "../protocols/keeping/block.ts";
import { keepAnswerFromWire, keepRequestFromWire, keepRequestToWire } from "../protocols/keeping/messages.ts";
import type { Shelf } from "../protocols/keeping/shelf.ts";
import { BlockEncoder } from "../protocols/series/encoder.ts";
import { KeeperBoard } from "../test/simulation/keeping/keeper-board.ts";

const minutes = 1_440;
const roundTripMs = 30;
const blocks = dayOfBlocks();

oneBlock();
await repair();
balance();

/** A temperature a second, in blocks of a minute. */
function dayOfBlocks(): KeptBlock[] {
  const encoder = new BlockEncoder(1_000, 0);
  const made: KeptBlock[] = [];
  for (let minute = 0; minute < minutes; minute++) {
    const startMs = 1_790_000_000_000 + minute * 60_000;
    for (let second = 0; second < 60; second++) {
      const at = minute * 60 + second;
      const value = Math.round(10 * (21 + 3 * Math.sin(at / 9_000) + 0.2 * Math.sin(at * 12.9898))) / 10;
      encoder.push(startMs + second * 1_000, value);
    }
    const bytes = packBlock(encoder.take()!);
    made.push({
      series: "north-1/temperature~k3x9qa",
      number: minute + 1,
      firstMs: startMs,
      lastMs: startMs + 59_000,
      bytes,
    });
  }
  return made;
}

function oneBlock(): void {
  const board = new KeeperBoard("k1", "north", "a", 416, () => 0.5);
  const mean = Math.round(blocks.reduce((sum, { bytes }) => sum + bytes.length, 0) / blocks.length);
  const rows = [1, keepingLimits.blocksMax].map((count) => {
    const put = encodeCbor(
      keepRequestToWire({ kind: "put", id: 0xffff_ffff, blocks: blocks.slice(700, 700 + count) }),
    );
    const stored = board.answer(put);
    return [
      `${count}`,
      `${mean}`,
      `${put.length}`,
      `${stored.length}`,
      `${Math.round((put.length + stored.length) / count)}`,
    ];
  });
  printRows(
    ["blocks in a message", "a block's readings, B", "put, B", "stored, B", "B a block and keeper"],
    rows,
  );
}

async function repair(): Promise<void> {
  let nowMs = 0;
  const agenda: { atMs: number; act: () => void }[] = [];
  const later = (delayMs: number, act: () => void) => agenda.push({ atMs: nowMs + delayMs, act });
  const boards = new Map(
    ["k1", "k2"].map((name, i) => [name, new KeeperBoard(name, name, "a", 416, () => (i + 1) / 7)]),
  );
  for (let at = 0; at < blocks.length; at += keepingLimits.blocksMax) {
    boards
      .get("k1")!
      .answer(
        encodeCbor(
          keepRequestToWire({ kind: "put", id: 1, blocks: blocks.slice(at, at + keepingLimits.blocksMax) }),
        ),
      );
  }
  const counts = { down: 0, downBytes: 0, up: 0, upBytes: 0 };
  let id = 0;
  const questions = new Questions({
    nowMs: () => nowMs,
    drawId: () => ++id,
    send: (board, payload) => {
      counts.down++;
      counts.downBytes += payload.length;
      keepRequestFromWire(decodeCbor(payload));
      later(roundTripMs, () => {
        const answer = boards.get(board)!.answer(payload);
        counts.up++;
        counts.upBytes += answer.length;
        keepAnswerFromWire(decodeCbor(answer));
        questions.take(board, answer);
      });
      return true;
    },
  });
  const keepers = [...boards].map(([board, { ring }], i) => ({ board, ring, isWhole: i === 0 }));
  const shelf: Shelf = { version: 1, keepers, former: [] };
  let isWhole = false;
  const mending = new Mending({
    agreed: { shelves: new Map([["north-1", { shelf, value: encodeShelf(shelf) }]]) } as never,
    ...{ questions, isUp: () => true, onRing: () => {}, nowMs: () => nowMs, log: () => {} },
    put: async () => {
      isWhole = true;
    },
    sleep: (ms) => new Promise((resolve) => later(ms, resolve)),
  });
  mending.look(() => true);
  while (!isWhole) {
    await new Promise((resolve) => setImmediate(resolve));
    agenda.sort((a, b) => a.atMs - b.atMs);
    const next = agenda.shift();
    if (next === undefined) continue;
    nowMs = next.atMs;
    next.act();
  }
  const { down, downBytes, up, upBytes } = counts;
  printRows(
    [
      "blocks",
      "bytes of readings",
      "messages down / up",
      "bytes down / up",
      `seconds at ${roundTripMs} ms a round trip`,
    ],
    [
      [
        `${mending.copied}`,
        `${mending.copiedBytes}`,
        `${down} / ${up}`,
        `${downBytes} / ${upBytes}`,
        (nowMs / 1_000).toFixed(1),
      ],
    ],
  );
}

function balance(): void {
  const rows = [10, 100, 250].map((count) => {
    const keepers = new Map<string, KeeperFacts>(
      Array.from({ length: Math.max(6, count / 5) }, (_, i) => [
        `k${i}`,
        { zone: `z${i % 4}`, ring: 1, sectors: 64, isUsable: true, isLost: false },
      ]),
    );
    const wanted = new Map<string, Wanted>(
      Array.from({ length: count }, (_, i) => [`p${i}`, { copies: 2, load: 1 }]),
    );
    const shelves = placeShelves(wanted, new Map(), keepers);
    const held = new Map<string, number>();
    for (const { keepers: of } of shelves.values())
      for (const { board } of of) held.set(board, (held.get(board) ?? 0) + 1);
    const lost = new Map(keepers).set("k0", { ...keepers.get("k0")!, isUsable: false, isLost: true });
    const moved = placeShelves(wanted, shelves, lost).size;
    const most = Math.max(...held.values());
    const mean = (2 * count) / keepers.size;
    return [`${count}`, `${keepers.size}`, (most / mean).toFixed(2), `${held.get("k0") ?? 0}`, `${moved}`];
  });
  printRows(
    [
      "boards with 2 copies",
      "keepers in 4 zones",
      "max over mean",
      "the lost one had",
      "copied after its loss",
    ],
    rows,
  );
}

function printRows(headings: readonly string[], rows: readonly (readonly string[])[]): void {
  console.log(`\n| ${headings.join(" | ")} |\n|${" --- |".repeat(headings.length)}`);
  for (const row of rows) console.log(`| ${row.join(" | ")} |`);
}
