import type { LogLevel, System } from "../platform/ports.ts";

/**
 * Log lines that people read and machines take apart: an event, then `name=value` pairs, quoted where a value has spaces
 * in it: `link-lost reason="timed out" waitMs=500`.
 */
export class BoardLog {
  readonly #system: System;
  readonly #rankMin: number;

  constructor(system: System) {
    this.#system = system;
    this.#rankMin = levels.indexOf(system.logLevel ?? "info");
  }

  /** Whether lines of this level are wanted: asked before one is made that would cost something. */
  isOn(level: LogLevel): boolean {
    return levels.indexOf(level) >= this.#rankMin;
  }

  /** `facts` are names and values in turn. */
  write(level: LogLevel, event: string, ...facts: readonly (string | number)[]): void {
    if (!this.isOn(level)) return;
    let line = event;
    for (let i = 0; i + 1 < facts.length; i += 2) line += ` ${facts[i]}=${quoted(`${facts[i + 1]}`)}`;
    this.#system.log(level, line);
  }
}

function quoted(text: string): string {
  const needsQuotes = text === "" || text.includes(" ") || text.includes('"') || text.includes("\n");
  return needsQuotes ? JSON.stringify(text) : text;
}

/** In the order of their weight. */
const levels: readonly LogLevel[] = Object.freeze(["debug", "info", "warn", "error"] as const);
