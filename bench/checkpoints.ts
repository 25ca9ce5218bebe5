/**
 * `node bench/checkpoints.ts`: what a restore costs, counted and timed, and a checkpoint of the largest state, timed on this computer.
 *
 * A restore that is not long is one entry. It goes to each voter in an append of its own and once per broker, published, to all learners that listen, however
 * many they are; so the figures are of the entry as it is encoded here, and of the messages of that one round.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import {
  checkpointFromBytes,
  checkpointToBytes,
  statedDigest,
} from "../host-tools/leader/checkpoints/checkpoint-file.ts";
import { CheckpointStore } from "../host-tools/leader/checkpoints/checkpoint-store.ts";
import { encodeCbor } from "../protocols/cbor/encode.ts";
import { chainHashBytes } from "../protocols/raft/chain.ts";
import { messageToWire } from "../protocols/raft/codec.ts";
import { EntryKind } from "../protocols/raft/types.ts";
import type { StateValue } from "../protocols/state/command.ts";
import { putsToData } from "../protocols/state/puts.ts";
import { percentile } from "./percentile.ts";
import { measureRestores, type RestoreCost } from "./restores.ts";
import { bytes as bytesText, milliseconds, printTable } from "./table.ts";

/** Voters beside the leader: one other host and two boards. */
const otherVoters = 3;
const brokers = 2;
const hash = new Uint8Array(chainHashBytes);

function appendBytes(settings: number): number {
  const puts = Array.from({ length: settings }, (_, i) => ({ key: `zone-${i}.limit`, value: 20.5 + i }));
  const notes = [{ key: "covey/restored", value: "summer by ann 2026-11-23T08:00:00Z" }];
  const data = putsToData(new Uint8Array(8).fill(7), [...puts, ...notes]);
  const message = messageToWire({
    ...{ type: "append-request", from: "a.00000001", to: "north-1.5f3a90c2", term: 3 },
    ...{ prevLogIndex: 999, prevLogTerm: 3, prevHash: hash, commitIndex: 999, readRound: 1 },
    entries: [{ index: 1000, term: 3, kind: EntryKind.puts, version: 1, data }],
  });
  return encodeCbor(message).length;
}

const rows = [3, 10, 100].map((boards) => {
  const learners = Math.max(0, boards - 2);
  const published = learners === 0 ? 0 : brokers;
  const bytes = appendBytes(10);
  const sent = otherVoters + published;
  const how = `${otherVoters} appends and as many answers, ${published} publications; ${bytes} B each, unsealed`;
  return { what: `${boards} boards`, figure: `${sent} messages, ${bytes * sent} B`, how };
});
printTable("A restore of ten settings: two hosts, two voting boards, the other boards learn", rows);

const restoreRow = (what: string, { ms, fastestMs, entries, messages, bytes }: RestoreCost) => ({
  what,
  figure: milliseconds(ms),
  how: `fastest ${milliseconds(fastestMs)}; ${entries} entries; the leader sent ${messages} messages, ${bytesText(bytes)}`,
});
const restores = await measureRestores();
printTable(
  "The same on three real hosts and two voting boards in one process, the checkpoint before it included",
  [restoreRow("ten settings", restores.settings), restoreRow("100 programs of 325 bytes", restores.programs)],
);

const value = new Uint8Array(900).fill(5);
const full = new Map<string, StateValue>(
  Array.from({ length: 512 }, (_, i) => [`program/board-${`${i}`.padStart(3, "0")}`, value]),
);
const directory = mkdtempSync(join(tmpdir(), "covey-bench-"));
try {
  const store = new CheckpointStore(directory);
  const times: Record<string, number[]> = { encode: [], "write, durable": [], "read and verify": [] };
  let bytes = new Uint8Array(0);
  const timed = (what: string, work: () => void) => {
    const startMs = performance.now();
    work();
    times[what]!.push(performance.now() - startMs);
  };
  for (let run = 0; run < 15; run++) {
    const of = {
      swarm: "greenhouse",
      name: "summer",
      index: 9,
      term: 2,
      madeMs: run,
      by: "ann",
      values: full,
    };
    timed("encode", () => {
      bytes = Uint8Array.from(checkpointToBytes(of));
    });
    timed("write, durable", () => store.write("summer", bytes));
    timed("read and verify", () => {
      if (store.check("summer", statedDigest(bytes)) !== "whole") throw new Error("The copy is not whole.");
    });
  }
  if (checkpointFromBytes(bytes).values.size !== 512) throw new Error("Keys are missing.");
  const shown = Object.entries(times).map(([what, of]) => ({
    what,
    figure: milliseconds(percentile(of, 50)),
    how: `median of ${of.length}, worst ${milliseconds(percentile(of, 100))}`,
  }));
  printTable(`A checkpoint of 512 keys of 900 bytes: ${bytes.length} B`, shown);
} finally {
  rmSync(directory, { recursive: true });
}
