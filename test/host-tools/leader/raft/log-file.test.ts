import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { encodeCbor } from "../../../../host-tools/codec/cbor.ts";
import { LogFile, logFileName } from "../../../../host-tools/leader/raft/log-file.ts";
import { encodeFrame, frameHeaderBytes, scanFrames } from "../../../../host-tools/leader/raft/log-frame.ts";
import type { LogChange } from "../../../../host-tools/leader/raft/log-records.ts";
import { DamagedLog } from "../../../../host-tools/leader/raft/log-records.ts";
import { LogUnusable, openLog } from "../../../../host-tools/leader/raft/open-log.ts";
import type { Entry } from "../../../../protocols/raft/types.ts";

let directory: string;
let opened: LogFile[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "covey-raft-log-"));
  opened = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const log of opened) await log.close().catch(() => {});
  rmSync(directory, { recursive: true });
});

describe("a host's log", () => {
  it("is found again as it was left", async () => {
    const log = await create();
    log.append(change({ term: 2, vote: "a.1", entries: [entry(2, 2), entry(3, 2)] }));
    log.append(change({ term: 3, truncateFrom: 3, entries: [entry(3, 3)] }));
    await log.close();

    const again = await reopen();
    expect(again.memberId).toBe("a.1");
    expect(again.hardState).toEqual({ term: 3, vote: undefined });
    expect(termsOf(again)).toEqual([1, 2, 3]);
    expect(again.entry(3)).toEqual(entry(3, 3));
    expect(again.tornBytes).toBe(0);
  });

  it("shows a change at once and makes it durable when flushed", async () => {
    const log = await create();
    const before = log.sizeBytes;
    log.append(change({ term: 2, entries: [entry(2, 2)] }));
    expect([log.lastIndex, log.termAt(2), log.hardState.term]).toEqual([2, 2, 2]);
    expect([log.sizeBytes, log.durableEnd.index]).toEqual([before, 1]);
    await log.flush();
    expect(readFileSync(log.path).length).toBe(log.sizeBytes);
    expect([log.sizeBytes > before, log.durableEnd]).toEqual([true, { index: 2, term: 2 }]);
  });

  it("knows its last durable entry, whatever was written after it", async () => {
    const log = await create();
    log.append(change({ entries: [entry(2, 1)] }));
    log.append(change({ term: 2 }));
    await log.flush();
    expect(log.durableEnd).toEqual({ index: 2, term: 1 });
  });

  it("makes durable together what queued while the disk was busy", async () => {
    const log = await create();
    const flushed: Promise<void>[] = [];
    for (let index = 2; index <= 501; index++) {
      log.append(change({ entries: [entry(index, 1)] }));
      flushed.push(log.flush());
    }
    await Promise.all(flushed);
    // The founding frame, the first entry alone or with those of the same turn, and the rest.
    expect(scanFrames(readFileSync(log.path)).payloads.length).toBeLessThanOrEqual(3);
    await log.close();
    expect((await reopen()).lastIndex).toBe(501);
  });

  it("keeps its own copy of what it is given", async () => {
    const log = await create();
    const data = Uint8Array.of(1, 2, 3);
    log.append(change({ entries: [{ ...entry(2, 1), data }] }));
    data[0] = 99;
    expect([...log.entry(2).data]).toEqual([1, 2, 3]);
  });

  it("believes nothing of a file any more once the disk refused", async () => {
    const log = await create();
    const probe = await open(log.path, "r");
    const refused = vi.spyOn(Object.getPrototypeOf(probe), "datasync");
    await probe.close();
    refused.mockRejectedValueOnce(new Error("EIO: i/o error, fdatasync"));
    log.append(change({ entries: [entry(2, 1)] }));
    await expect(log.flush()).rejects.toThrow("EIO");
    log.append(change({ entries: [entry(3, 1)] }));
    await expect(log.flush()).rejects.toThrow("EIO");
  });
});

describe("after a power cut", () => {
  it("at any byte of a sequence of writes, all that was acknowledged is there and the rest is cut", async () => {
    const { bytes, states } = await recordedSequence();
    const founded = states[0]!.sizeBytes;
    for (let length = founded; length <= bytes.length; length++) {
      writeFileSync(join(directory, logFileName), bytes.subarray(0, length));
      const expected = states.findLast((state) => state.sizeBytes <= length)!;
      const log = await reopen();
      expect(stateOf(log)).toEqual(expected);
      expect(log.tornBytes).toBe(length - expected.sizeBytes);
      await log.close();
      expect(readFileSync(log.path).length).toBe(expected.sizeBytes);
    }
  });

  it("whose last write left a hole of zeros, the hole is cut", async () => {
    const { bytes, states } = await recordedSequence(1500);
    const last = states.at(-2)!;
    // The first sector boundary within the last write: what follows it never reached the disk, or only what follows it did.
    const boundary = Math.ceil((last.sizeBytes + 1) / 512) * 512;
    for (const [from, to] of [
      [boundary, bytes.length],
      [last.sizeBytes, bytes.length],
      [boundary, boundary + 512],
      [last.sizeBytes, boundary],
    ] as const) {
      writeFileSync(join(directory, logFileName), Buffer.from(bytes).fill(0, from, to));
      const log = await reopen();
      expect(stateOf(log)).toEqual(last);
      await log.close();
    }
  });

  it("while the log was founded, there is none yet", async () => {
    writeFileSync(join(directory, `${logFileName}.new`), "half of it");
    expect(await LogFile.open(directory)).toBeUndefined();
    expect((await create()).lastIndex).toBe(1);
  });
});

describe("damage", () => {
  it("of any one bit is refused, and named by the offset of its frame", async () => {
    const { bytes, states } = await recordedSequence();
    const frames = [0, ...states.map((state) => state.sizeBytes)];
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes);
      flipped[at] = flipped[at]! ^ (1 << (at % 8));
      writeFileSync(join(directory, logFileName), flipped);
      const offsetBytes = frames.findLast((offset) => offset <= at)!;
      await expect(LogFile.open(directory)).rejects.toMatchObject({ name: "DamagedLog", offsetBytes });
    }
  });

  it("of the last frame that is cut short and changed cannot be told from a torn write, and is cut", async () => {
    const { bytes, states } = await recordedSequence();
    const last = states.at(-2)!;
    const short = Buffer.from(bytes.subarray(0, bytes.length - 1));
    short[last.sizeBytes + frameHeaderBytes] = 0xff;
    writeFileSync(join(directory, logFileName), short);
    expect(stateOf(await reopen())).toEqual(last);
  });

  it("that leaves no sound beginning is refused", async () => {
    for (const content of ["", "not a log at all, and longer than a header"]) {
      writeFileSync(join(directory, logFileName), content);
      await expect(LogFile.open(directory)).rejects.toBeInstanceOf(DamagedLog);
    }
  });
});

describe("opening a host's folder", () => {
  const now = new Date("2026-11-22T22:30:00Z");

  it("founds a group of this host alone, and finds it again", async () => {
    const first = kept(await openLog(directory, "a", ["a", "b"], now));
    expect(first.memberId).toMatch(/^a\.[0-9a-f]{8}$/);
    expect(first.entry(1)).toMatchObject({ index: 1, term: 1, kind: 2 });
    await first.close();
    expect(kept(await openLog(directory, "a", ["a", "b"], now)).memberId).toBe(first.memberId);
  });

  it("leaves the founding to the first host", async () => {
    await expect(openLog(directory, "b", ["a", "b"], now)).rejects.toThrow("start a.");
    expect(readdirSync(directory)).toEqual([]);
  });

  it("moves a damaged log aside, says so, and never goes on empty", async () => {
    const log = kept(await openLog(directory, "a", ["a", "b"], now));
    await log.close();
    copyFileSync(log.path, join(directory, "copy"));
    const bytes = readFileSync(log.path);
    writeFileSync(log.path, bytes.fill(0xff, 20, 21));

    const keptAs = join(directory, "raft.log.damaged-20261122T223000Z");
    const first = await openLog(directory, "a", ["a", "b"], now).catch((error: Error) => error);
    expect(first).toMatchObject({ name: "LogUnusable", keptAs });
    expect((first as Error).message).toContain(`${log.path} is damaged at byte 0`);
    expect((first as Error).message).toContain(`It is kept as ${keptAs}.`);
    expect(readFileSync(keptAs).equals(bytes)).toBe(true);

    await expect(openLog(directory, "a", ["a", "b"], now)).rejects.toMatchObject({
      name: "LogUnusable",
      keptAs,
    });
    expect(readdirSync(directory)).not.toContain(logFileName);

    copyFileSync(join(directory, "copy"), log.path);
    expect(kept(await openLog(directory, "a", ["a", "b"], now)).memberId).toBe(log.memberId);
  });

  it("leaves a log of a newer program where it is", async () => {
    for (const record of [
      [1, 2, "a.1"],
      [9, "news"],
    ]) {
      const bytes = encodeFrame(encodeCbor([record]));
      writeFileSync(join(directory, logFileName), bytes);
      await expect(openLog(directory, "a", ["a", "b"], now)).rejects.toThrow("written by a newer Covey");
      expect(readFileSync(join(directory, logFileName)).equals(bytes)).toBe(true);
    }
  });

  it("refuses the folder of another host", async () => {
    await kept(await openLog(directory, "a", ["a", "b"], now)).close();
    await expect(openLog(directory, "b", ["a", "b"], now)).rejects.toThrow(LogUnusable);
  });
});

interface State {
  readonly sizeBytes: number;
  readonly term: number;
  readonly terms: readonly number[];
}

/** A file as several groups of changes made it, and what was acknowledged at each size. */
async function recordedSequence(lastBytes = 40): Promise<{ bytes: Buffer; states: State[] }> {
  const log = await create();
  const states = [stateOf(log)];
  for (const group of [
    [change({ term: 2, vote: "a.1", entries: [entry(2, 2)] })],
    [change({ entries: [entry(3, 2)] }), change({ entries: [entry(4, 2)] }), change({ term: 4 })],
    [change({ term: 5, truncateFrom: 3, entries: [entry(3, 5), entry(4, 5), entry(5, 5)] })],
    [change({ entries: [{ ...entry(6, 5), data: new Uint8Array(lastBytes).fill(7) }] })],
  ]) {
    for (const each of group) log.append(each);
    await log.flush();
    states.push(stateOf(log));
  }
  await log.close();
  return { bytes: readFileSync(log.path), states };
}

function stateOf(log: LogFile): State {
  return { sizeBytes: log.sizeBytes, term: log.hardState.term, terms: termsOf(log) };
}

function termsOf(log: LogFile): number[] {
  return log.entries(1, log.lastIndex).map((each) => each.term);
}

async function create(): Promise<LogFile> {
  const first = change({ term: 1, vote: "a.1", entries: [entry(1, 1)] });
  return kept(await LogFile.create(directory, "a.1", first));
}

async function reopen(): Promise<LogFile> {
  return kept((await LogFile.open(directory))!);
}

function kept(log: LogFile): LogFile {
  opened.push(log);
  return log;
}

function entry(index: number, term: number): Entry {
  return { index, term, kind: 1, version: 1, data: Uint8Array.of(index, term, 255) };
}

function change(part: { term?: number; vote?: string; truncateFrom?: number; entries?: Entry[] }): LogChange {
  const hardState = part.term === undefined ? undefined : { term: part.term, vote: part.vote };
  return { hardState, truncateFrom: part.truncateFrom ?? 0, entries: part.entries ?? [] };
}
