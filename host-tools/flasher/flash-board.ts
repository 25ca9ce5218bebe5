/**
 * Brings one board's flash to a layout: compare, write what differs, compare again.
 *
 * The first sector of the app is erased before anything else and written after all the rest was verified. So a board that was left half-way does not start, and shows it:
 * its app slot begins blank and goes on with something. The next run finds what is there by its MD5s and writes the rest.
 */
import { sectorBytes } from "../chips/chips.ts";
import { isBlank, type Layout, type Piece } from "../images/layout.ts";
import { withLoader } from "./attempts.ts";
import { type ChipFacts, locks } from "./chip-facts.ts";
import { type Difference, difference, md5, type Range } from "./difference.ts";
import type { Loader } from "./loader.ts";
import { refusals } from "./plan.ts";
import { FlashProblem, problem, verifyAttempts } from "./problems.ts";
import { readAll } from "./read-board.ts";
import { BoardPort } from "./serial/board-port.ts";

export interface FlashJob {
  readonly port: string;
  /** The fastest rate to try, in bit/s. */
  readonly baud: number;
  /** The layout for this chip. @throws {FlashProblem} when there is none */
  layoutFor(facts: ChipFacts): Layout;
  /** Compares and writes nothing. */
  readonly dryRun: boolean;
  /** Erases the whole flash first. */
  readonly eraseFirst: boolean;
  /** Gets the whole flash as it was. */
  readonly backup: ((bytes: Uint8Array) => Promise<void>) | undefined;
  /** Stops it; the board may be half-written then. */
  readonly signal: AbortSignal | undefined;
  report(progress: Progress): void;
}

export interface Progress {
  readonly step:
    | "connect"
    | "back up"
    | "erase"
    | "compare"
    | "write"
    | "verify"
    | "restart"
    | "done"
    | "again";
  /** A remark beside it: the chip's name, why it is begun again. */
  readonly note: string;
  /** 0 to 1; undefined where nobody knows. */
  readonly done: number | undefined;
}

export interface FlashReport {
  readonly port: string;
  readonly chip: ChipFacts;
  readonly source: string;
  readonly pieces: readonly PieceReport[];
  readonly outcome: "written" | "unchanged" | "planned";
  /** An earlier run had been left half-way. */
  readonly wasHalfWritten: boolean;
  /** Of the layout, and how much of it the chip did not hold. */
  readonly layoutBytes: number;
  readonly changedBytes: number;
  /** False when the board is to be restarted by hand. */
  readonly restarted: boolean;
  readonly baud: number;
  readonly attempts: number;
  /** On the serial line. */
  readonly bytesOut: number;
  readonly bytesIn: number;
}

export interface PieceReport {
  readonly name: string;
  readonly offsetBytes: number;
  readonly bytes: number;
  readonly changedBytes: number;
}

/** @throws {FlashProblem} */
export async function flashBoard(job: FlashJob): Promise<FlashReport> {
  const port = new BoardPort(job.port, job.signal);
  job.report({ step: "connect", note: "", done: undefined });
  const work = new FlashWork(job);
  return withLoader(
    port,
    job.baud,
    work,
    async (loader, attempt) => {
      const { layout, first, wasHalfWritten } = await work.run(loader);
      const outcome = first.size === 0 ? "unchanged" : job.dryRun ? "planned" : "written";
      job.report({ step: "restart", note: loader.facts.label, done: undefined });
      const restarted = await loader.restart();
      job.report({ step: "done", note: loader.facts.label, done: 1 });
      const pieces = layout.pieces.map((piece) => pieceReport(piece, first));
      return {
        port: job.port,
        chip: loader.facts,
        source: layout.source,
        pieces,
        outcome,
        wasHalfWritten,
        layoutBytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
        changedBytes: pieces.reduce((sum, { changedBytes }) => sum + changedBytes, 0),
        restarted,
        baud: loader.baud,
        attempts: attempt,
        bytesOut: port.bytesOut,
        bytesIn: port.bytesIn,
      };
    },
    (reason, baud) =>
      job.report({
        step: "again",
        note: `${reason}; at ${baud.toLocaleString("en-US")} bit/s`,
        done: undefined,
      }),
  );
}

/** What is compared and written as one: a piece, or of the app its first sector and the rest of it. */
interface Part extends Piece {
  readonly of: Piece;
}

interface Parts {
  readonly layout: Layout;
  /** The app's first sector, which says that all the rest is there. */
  readonly head: Part | undefined;
  readonly rest: readonly Part[];
}

/** What the chip did not hold; parts that it holds are not in it. */
type Changes = ReadonlyMap<Part, Difference>;

class FlashWork {
  /** What would be told of the board if it ended now. */
  board: "unchanged" | "half-written" = "unchanged";
  readonly #job: FlashJob;
  /** What is done once in all attempts. */
  #backedUp = false;
  #erased = false;
  #parts: Parts | undefined;
  /** What differed when the board was first seen. */
  #first: Changes | undefined;
  #wasHalfWritten = false;

  constructor(job: FlashJob) {
    this.#job = job;
  }

  async run(loader: Loader): Promise<{ layout: Layout; first: Changes; wasHalfWritten: boolean }> {
    this.#parts ??= apart(this.#checked(loader.facts));
    const { layout, head, rest } = this.#parts;
    await this.#backUp(loader);
    await this.#eraseAll(loader);
    const seen = await this.#compare(loader, head, rest);
    this.#first ??= seen;
    if (!this.#job.dryRun) await this.#bring(loader, head, rest, seen);
    return { layout, first: this.#first, wasHalfWritten: this.#wasHalfWritten };
  }

  #checked(facts: ChipFacts): Layout {
    const locked = locks(facts);
    if (locked.length > 0) throw problem.secureChip(this.#job.port, locked, "written");
    const layout = this.#job.layoutFor(facts);
    const reasons = refusals(layout, facts);
    if (reasons.length > 0) throw new FlashProblem("refused", reasons);
    return layout;
  }

  async #backUp(loader: Loader): Promise<void> {
    const { backup, dryRun } = this.#job;
    if (backup === undefined || dryRun || this.#backedUp) return;
    const { flashBytes, label } = loader.facts;
    await backup(
      await readAll(loader, flashBytes, (done) => this.#job.report({ step: "back up", note: label, done })),
    );
    this.#backedUp = true;
  }

  async #eraseAll(loader: Loader): Promise<void> {
    if (!this.#job.eraseFirst || this.#job.dryRun || this.#erased) return;
    this.#job.report({ step: "erase", note: loader.facts.label, done: undefined });
    this.board = "half-written";
    await loader.erase(0, loader.facts.flashBytes);
    this.#erased = true;
  }

  async #compare(loader: Loader, head: Part | undefined, rest: readonly Part[]): Promise<Changes> {
    const parts = head === undefined ? rest : [...rest, head];
    const changes = new Map<Part, Difference>();
    let isBodyBlank = true;
    for (const [i, part] of parts.entries()) {
      // Without the head, it is what was written that is compared.
      const step = head === undefined && this.board === "half-written" ? "verify" : "compare";
      this.#job.report({ step, note: loader.facts.label, done: i / parts.length });
      const found = await difference(part, (offset, length) => loader.md5(offset, length));
      if (found.ranges.length > 0) changes.set(part, found);
      if (part !== head && part.of === head?.of) isBodyBlank = found.blank;
      if (part === head && found.blank && !isBodyBlank) this.#halfWritten();
    }
    return changes;
  }

  #halfWritten(): void {
    // In a later attempt it is this very run that left it so.
    if (this.#first === undefined) this.#wasHalfWritten = true;
    this.board = "half-written";
  }

  async #bring(loader: Loader, head: Part | undefined, rest: readonly Part[], seen: Changes): Promise<void> {
    if (seen.size === 0) return;
    const total = changedBytes(seen) + (head !== undefined && !seen.has(head) ? head.bytes.length : 0);
    const progress = { done: 0, total };
    let changes: Changes = new Map([...seen].filter(([part]) => part !== head));
    if (changes.size > 0 && head !== undefined && !seen.get(head)?.blank) {
      this.board = "half-written";
      await loader.erase(head.offsetBytes, sectorBytes);
    }
    for (let attempt = 1; changes.size > 0; attempt++) {
      if (attempt > verifyAttempts) throw this.#worn(changes);
      for (const [part, { ranges }] of changes) await this.#write(loader, part, ranges, progress);
      changes = await this.#compare(
        loader,
        undefined,
        rest.filter((part) => changes.has(part)),
      );
    }
    if (head !== undefined) await this.#writeHead(loader, head, progress);
    this.board = "unchanged";
  }

  /** With this, the board starts again. */
  async #writeHead(loader: Loader, head: Part, progress: { done: number; total: number }): Promise<void> {
    const whole = { offsetBytes: head.offsetBytes, lengthBytes: head.bytes.length };
    for (
      let attempt = 1;
      (await loader.md5(head.offsetBytes, head.bytes.length)) !== md5(head.bytes);
      attempt++
    ) {
      if (attempt > verifyAttempts) throw this.#worn(new Map([[head, { ranges: [whole], blank: false }]]));
      await this.#write(loader, head, [whole], progress);
    }
  }

  async #write(
    loader: Loader,
    part: Part,
    ranges: readonly Range[],
    progress: { done: number; total: number },
  ): Promise<void> {
    for (const { offsetBytes, lengthBytes } of ranges) {
      const from = offsetBytes - part.offsetBytes;
      const bytes = part.bytes.subarray(from, from + lengthBytes);
      this.board = "half-written";
      const tell = (written: number) => {
        const done = Math.min(1, (progress.done + written) / progress.total);
        this.#job.report({ step: "write", note: loader.facts.label, done });
      };
      if (isBlank(bytes)) await loader.erase(offsetBytes, Math.ceil(lengthBytes / sectorBytes) * sectorBytes);
      else await loader.write(offsetBytes, bytes, tell);
      progress.done += lengthBytes;
      tell(0);
    }
  }

  #worn(changes: Changes): FlashProblem {
    const [[part, { ranges }]] = [...changes] as [[Part, Difference]];
    return problem.wornFlash(this.#job.port, part.name, ranges[0]!.offsetBytes);
  }
}

function apart(layout: Layout): Parts {
  const { pieces, app } = layout;
  const rest = pieces.filter((piece) => piece !== app).map((piece) => ({ ...piece, of: piece }));
  if (app === undefined) return { layout, head: undefined, rest };
  const { name, offsetBytes, bytes } = app;
  const head = { name, offsetBytes, bytes: bytes.subarray(0, sectorBytes), of: app };
  if (bytes.length <= sectorBytes) return { layout, head, rest };
  const body = { name, offsetBytes: offsetBytes + sectorBytes, bytes: bytes.subarray(sectorBytes), of: app };
  return { layout, head, rest: [...rest, body] };
}

function pieceReport(piece: Piece, changes: Changes): PieceReport {
  const { name, offsetBytes, bytes } = piece;
  const ofPiece = new Map([...changes].filter(([part]) => part.of === piece));
  return { name, offsetBytes, bytes: bytes.length, changedBytes: changedBytes(ofPiece) };
}

function changedBytes(changes: Changes): number {
  let sum = 0;
  for (const { ranges } of changes.values()) for (const { lengthBytes } of ranges) sum += lengthBytes;
  return sum;
}
