/** Events as lines for people: time, board, level, text; a crash as a block. */
import { type Level, levels } from "./log-line.ts";
import type { CrashEvent, CrashFrame, MonitorEvent } from "./monitor-event.ts";

export type Paint = (
  style: "red" | "yellow" | "green" | "dim" | "bold" | "cyan" | "magenta" | "blue",
  text: string,
) => string;

export interface TextOptions {
  readonly paint: Paint;
  readonly showTime: boolean;
  /** What the board is called, or its port until it said so. */
  readonly name: string;
  /** That the texts of several boards stand below each other. */
  readonly nameWidth: number;
  /** Which of the ports it is: each has its colour. */
  readonly index: number;
}

/** Whether the event is shown where only this level and what weighs more is wanted. */
export function isWanted(event: MonitorEvent, least: Level): boolean {
  return levels.indexOf(weightOf(event)) >= levels.indexOf(least);
}

export function textLines(event: MonitorEvent, options: TextOptions): string[] {
  const { paint, showTime, name, nameWidth, index } = options;
  const time = showTime ? `${clockTime(new Date(event.at))}  ` : "";
  const who = `${paint(nameColours[index % nameColours.length]!, name.padEnd(nameWidth))}  `;
  const [label, ...texts] = bodyOf(event, paint);
  return texts.map((text, i) => {
    // The lines of a block stand below its first, each still with its board's name.
    const head =
      i === 0
        ? `${paint("dim", time)}${who}${label}`
        : `${" ".repeat(time.length)}${who}${paint("red", labelOf("|"))}`;
    return `${head}${text}`.trimEnd();
  });
}

/** What stands for a port until its board's name is known: `ttyUSB0`, `192.0.2.20:2217`. */
export function portLabel(port: string): string {
  return port
    .replace(/^\w+:\/\//, "")
    .replace(/^\/dev\//, "")
    .replace(/\/$/, "");
}

const nameColours = ["cyan", "magenta", "blue", "green", "yellow"] as const;
const levelColours = { debug: "dim", info: "green", warn: "yellow", error: "red" } as const;

/** A line that names no level is as one that informs. */
function weightOf(event: MonitorEvent): Level {
  if (event.kind === "line") return event.level ?? "info";
  if (event.kind === "crash") return "error";
  return event.kind === "improv" || event.kind === "reset" ? "info" : "warn";
}

/** The label, and what stands behind it, line by line. */
function bodyOf(event: MonitorEvent, paint: Paint): [label: string, ...texts: string[]] {
  switch (event.kind) {
    case "line": {
      const { level } = event;
      const label = level === undefined ? labelOf("") : paint(levelColours[level], labelOf(level));
      return [label, level === "error" ? paint("red", event.text) : event.text];
    }
    case "reset":
      return [paint("bold", labelOf("start")), `started ${event.words} ${paint("dim", `(${event.reason})`)}`];
    case "crash":
      return [paint("red", labelOf("crash")), ...crashLines(event, paint)];
    case "advice":
      return [paint("yellow", labelOf("note")), paint("yellow", event.text)];
    case "noise":
      return [paint("yellow", labelOf("note")), paint("yellow", event.text)];
    case "improv":
      return [paint("dim", labelOf("improv")), paint("dim", event.text.replace(/^Improv: /, ""))];
    case "port":
      return [paint("dim", labelOf("port")), paint("dim", event.text)];
  }
}

function labelOf(word: string): string {
  return `${word.padEnd(6)} `;
}

function crashLines({ source, text, frames, notes, registers, lines }: CrashEvent, paint: Paint): string[] {
  const width = Math.max(0, ...frames.map((frame) => functionOf(frame).length));
  const engine = source === "xs" ? lines.slice(0, -1).map((line) => `  ${line.replace(/^# /, "")}`) : [];
  return [
    paint("red", text),
    ...engine,
    ...frames.map((frame, i) => {
      const name = functionOf(frame).padEnd(width);
      return `  ${frame.isLikely ? "?" : " "}#${String(i).padEnd(2)} ${frame.address}  ${name}  ${placeOf(frame)}`.trimEnd();
    }),
    ...registerLines(registers).map((line) => paint("dim", `  ${line}`)),
    ...notes.map((note) => `  ${paint("yellow", note)}`),
  ];
}

function functionOf({ function: name, offsetBytes }: CrashFrame): string {
  if (name === undefined) return "";
  return offsetBytes ? `${name} +0x${offsetBytes.toString(16)}` : name;
}

function placeOf({ file, line }: CrashFrame): string {
  return file === undefined ? "" : `${file}:${line}`;
}

function registerLines(registers: Readonly<Record<string, string>>): string[] {
  const cells = Object.entries(registers).map(([name, value]) => `${name.padEnd(8)} ${value}`);
  const rows: string[] = [];
  for (let i = 0; i < cells.length; i += 4) rows.push(cells.slice(i, i + 4).join("  "));
  return rows;
}

function clockTime(date: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const ms = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`;
}
