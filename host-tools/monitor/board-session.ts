/**
 * What one board says, decoded: bytes in, events out. No clock and no port in here, so that a recorded log decodes as a live one does.
 */
import { BootWatch } from "./boot-watch.ts";
import { abortReport, exceptionReport, panicReport } from "./crash-report.ts";
import type { ElfFile } from "./elf/elf-file.ts";
import { improvText } from "./improv-text.ts";
import { LineReader, type Piece } from "./line-reader.ts";
import { boardNameIn, readLogLine } from "./log-line.ts";
import type { BoardEvent } from "./monitor-event.ts";
import { type Panic, PanicReader } from "./panic.ts";
import { readReset } from "./reset-reason.ts";
import { readXsbug } from "./xsbug-text.ts";

export interface SessionOptions {
  /** In bit/s; undefined where the port has none. */
  readonly baud: number | undefined;
  readonly elf: ElfFile | undefined;
  /** Every line as it came, nothing gathered. */
  readonly raw: boolean;
}

export class BoardSession {
  readonly #options: SessionOptions;
  readonly #emit: (event: BoardEvent) => void;
  readonly #lines = new LineReader();
  readonly #panics = new PanicReader();
  readonly #boots = new BootWatch();
  /** What the engine said last, which explains why it gives up. */
  #engineLines: string[] = [];
  #boardName: string | undefined;

  constructor(options: SessionOptions, emit: (event: BoardEvent) => void) {
    this.#options = options;
    this.#emit = emit;
  }

  /** Once its log told it. */
  get boardName(): string | undefined {
    return this.#boardName;
  }

  /** @param atMs of any clock that does not go back */
  hear(bytes: Uint8Array, atMs: number): void {
    for (const piece of this.#lines.read(bytes)) this.#piece(piece, atMs);
  }

  /** Nothing came for a while: what has begun is shown as it stands. */
  pause(atMs: number): void {
    for (const piece of this.#lines.rest()) this.#piece(piece, atMs);
  }

  /** Nothing came for a long while, or the port is gone: a dump that has begun does not go on. */
  end(atMs: number): void {
    this.pause(atMs);
    this.#report(this.#panics.finish());
  }

  #piece(piece: Piece, atMs: number): void {
    if (piece.kind === "improv") this.#emit({ kind: "improv", text: improvText(piece.type, piece.data) });
    else if (piece.kind === "noise") this.#noise();
    else if (this.#options.raw) this.#line(piece.text, atMs);
    else for (const text of readXsbug(piece.text) ?? [piece.text]) this.#decoded(text, atMs);
  }

  #noise(): void {
    const { baud } = this.#options;
    const text =
      baud === undefined
        ? "what comes is noise: the other end runs at another rate"
        : `what comes is noise at ${baud} bit/s: the board runs at another rate; try --baud ${baud === 115_200 ? "460800 (an image for the debugger) or 74880" : "115200"}`;
    this.#emit({ kind: "noise", text });
  }

  #decoded(text: string, atMs: number): void {
    const { taken, panic } = this.#panics.take(text);
    this.#report(panic);
    if (!taken) this.#line(text, atMs);
  }

  #line(text: string, atMs: number): void {
    const reset = readReset(text);
    if (reset !== undefined) {
      this.#emit({ kind: "reset", reason: reset.name, words: reset.words });
      for (const advice of this.#boots.started(reset, atMs)) this.#emit({ kind: "advice", ...advice });
      return;
    }
    if (text.trim() === "") return;
    if (this.#abort(text)) return;
    const line = readLogLine(text);
    this.#boardName = boardNameIn(line) ?? this.#boardName;
    if (line.source === "board" && line.event === "crashed" && !this.#options.raw) {
      this.#emit(exceptionReport(line.facts.reason ?? "", this.#takeEngineLines(), text));
      return;
    }
    if (line.source === "xs") this.#engineLines = [...this.#engineLines, text].slice(-engineLinesMax);
    else this.#engineLines = [];
    const { facts, ...rest } = line;
    this.#emit({ kind: "line", ...rest, ...(line.event === undefined ? {} : { facts }) });
    for (const advice of this.#boots.line(text, atMs)) this.#emit({ kind: "advice", ...advice });
  }

  /** `XS abort: unhandled exception no such host ` (xs/platforms/esp/xsPlatform.c, fxAbort). */
  #abort(text: string): boolean {
    const reason = /^XS abort: (.{1,200}?) *$/.exec(text)?.[1];
    if (reason === undefined || this.#options.raw) return false;
    this.#emit(abortReport(reason, this.#takeEngineLines(), text));
    return true;
  }

  #takeEngineLines(): string[] {
    const lines = this.#engineLines;
    this.#engineLines = [];
    return lines;
  }

  #report(panic: Panic | undefined): void {
    if (panic !== undefined) this.#emit(panicReport(panic, this.#options.elf));
  }
}

const engineLinesMax = 8;
