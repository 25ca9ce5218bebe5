/** What a monitor tells: of one board each, in the order in which it came. With `--json` each is one line. */
import type { Advice } from "./boot-watch.ts";
import type { Level, LogLine } from "./log-line.ts";

export type BoardEvent =
  | LineEvent
  | { readonly kind: "reset"; readonly reason: string; readonly words: string }
  | CrashEvent
  | { readonly kind: "advice"; readonly code: Advice["code"]; readonly text: string }
  | { readonly kind: "improv"; readonly text: string }
  | { readonly kind: "noise"; readonly text: string }
  /** Of the port itself. `state`: what is so from now on; "note" where nothing changed. */
  | { readonly kind: "port"; readonly state: "attached" | "away" | "note"; readonly text: string };

export interface LineEvent extends Partial<LogLine> {
  readonly kind: "line";
  readonly level: Level | undefined;
  readonly text: string;
}

export interface CrashEvent {
  readonly kind: "crash";
  /** "xs": the JavaScript engine or the firmware in it; "esp-idf": a processor exception, an abort, a watchdog. */
  readonly source: "xs" | "esp-idf";
  /** One sentence. */
  readonly text: string;
  readonly frames: readonly CrashFrame[];
  /** Sentences on what to do, and on what the frames are worth. */
  readonly notes: readonly string[];
  readonly registers: Readonly<Record<string, string>>;
  /** As the board printed it. */
  readonly lines: readonly string[];
}

export interface CrashFrame {
  readonly address: string;
  readonly function?: string | undefined;
  readonly offsetBytes?: number | undefined;
  readonly file?: string | undefined;
  readonly line?: number | undefined;
  /** It was found on the stack and may be left from a call that had returned. */
  readonly isLikely?: boolean;
}

export type MonitorEvent = BoardEvent & {
  /** Of this computer's clock, ISO 8601. */
  readonly at: string;
  readonly port: string;
  /** Once its own log told it. */
  readonly board: string | undefined;
};
