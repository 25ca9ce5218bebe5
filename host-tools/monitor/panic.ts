/** A dump that ESP-IDF prints when the firmware crashes, gathered line by line, and what is in it. ESP-IDF, "Fatal Errors". */

export interface Panic {
  /** As ESP-IDF calls it: "StoreProhibited", "Load access fault", "abort()". */
  readonly cause: string;
  readonly core: number | undefined;
  readonly registers: Readonly<Record<string, number>>;
  /** Program counters of an Xtensa chip's backtrace, innermost first, each already within its call. */
  readonly backtrace: readonly number[];
  /** The backtrace ends where the stack is no longer sound. */
  readonly corrupted: boolean;
  /** Words of the stack, from its top: what a RISC-V chip prints in place of a backtrace. */
  readonly stack: readonly number[];
  /** The first digits of the SHA-256 of the ELF file that this firmware is, in hexadecimal. */
  readonly elfSha256: string | undefined;
  /** The board waits for a debugger, and does not restart by itself. */
  readonly waitsForDebugger: boolean;
  readonly lines: readonly string[];
}

export type Taken =
  | { readonly taken: false; readonly panic?: undefined }
  /** The line belongs to the dump. */
  | { readonly taken: true; readonly panic?: undefined }
  /** With it the dump is whole. `taken` says whether the line was part of it. */
  | { readonly taken: boolean; readonly panic: Panic };

export class PanicReader {
  #lines: string[] = [];
  #inCoreDump = false;

  get isInside(): boolean {
    return this.#lines.length > 0;
  }

  take(line: string): Taken {
    if (!this.isInside) {
      if (!starts.some((start) => start.test(line))) return { taken: false };
      this.#lines.push(line);
      return { taken: true };
    }
    if (this.#isPart(line)) {
      if (this.#lines.length < linesMax) this.#lines.push(line);
      return ends.test(line) ? { taken: true, panic: this.finish()! } : { taken: true };
    }
    return { taken: false, panic: this.finish()! };
  }

  /** What was gathered, when nothing more comes. */
  finish(): Panic | undefined {
    if (!this.isInside) return undefined;
    const lines = this.#lines;
    this.#lines = [];
    this.#inCoreDump = false;
    return readPanic(lines);
  }

  #isPart(line: string): boolean {
    if (/CORE DUMP START/.test(line)) this.#inCoreDump = true;
    if (/CORE DUMP END/.test(line)) {
      this.#inCoreDump = false;
      return true;
    }
    // The core dump is for tools: what is told of it is in the dump before it.
    if (this.#inCoreDump) return !/^rst:0x|^ESP-ROM:/.test(line);
    return line === "" || parts.some((part) => part.test(line)) || starts.some((start) => start.test(line));
  }
}

/** Takes whatever lines: what is not in them stays empty. */
export function readPanic(lines: readonly string[]): Panic {
  const registers: Record<string, number> = {};
  const stack: number[] = [];
  let backtrace: number[] = [];
  let cause = "a crash";
  let core: number | undefined;
  let elfSha256: string | undefined;
  for (const line of lines) {
    const guru = /Core\s+(\d) panic'ed \(([^)]{1,80}(?:\([^)]{0,40}\))?[^)]{0,40})\)/.exec(line);
    if (guru !== null) [core, cause] = [Number(guru[1]), guru[2]!.trim()];
    const abort = /^abort\(\) was called at PC (0x[0-9a-f]+) on core (\d)/i.exec(line);
    if (abort !== null) {
      [cause, core] = ["abort()", Number(abort[2])];
      registers.PC ??= Number.parseInt(abort[1]!, 16);
    }
    if (cause === "a crash") cause = otherCause(line) ?? cause;
    const dump = /^([0-9a-f]{8}): ((?:0x[0-9a-f]{8}\s*){1,16})$/i.exec(line);
    if (dump !== null) stack.push(...wordsOf(dump[2]!).slice(0, stackWordsMax - stack.length));
    else if (/^Backtrace: ?0x/.test(line)) {
      const pairs = line.matchAll(/0x([0-9a-f]{1,8}):0x[0-9a-f]{1,8}/gi);
      backtrace = [...pairs].slice(0, framesMax).map(([, pc]) => Number.parseInt(pc!, 16));
    } else if (isRegisters.test(line)) {
      for (const [, name, value] of line.matchAll(/([A-Z][A-Z0-9/]{0,8})\s*: 0x([0-9a-f]{8})/g))
        registers[name!] = Number.parseInt(value!, 16);
    }
    elfSha256 ??= /^ELF file SHA256:\s*([0-9a-f]{4,64})/.exec(line)?.[1];
  }
  return {
    cause,
    core,
    registers,
    backtrace,
    corrupted: lines.some((line) => /^Backtrace:.*CORRUPTED/.test(line)),
    stack,
    elfSha256,
    waitsForDebugger: lines.some((line) => line.startsWith("Entering gdb stub")),
    lines,
  };
}

const linesMax = 400;
const framesMax = 100;
const stackWordsMax = 1024;

const isRegisters = /^\s*[A-Z][A-Z0-9/]{0,8}\s*: 0x[0-9a-f]{8}/;

const starts: readonly RegExp[] = [
  /^Guru Meditation Error:/,
  /^abort\(\) was called at PC 0x/,
  /^assert failed: /,
  /^\*\*\*ERROR\*\*\* A stack overflow in task /,
  /^Stack smashing protect failure/,
  /^CORRUPT HEAP: /,
  /^Core\s+\d register dump:/,
  /^Backtrace: ?0x/,
];

const parts: readonly RegExp[] = [
  isRegisters,
  /^Stack memory:/,
  /^[0-9a-f]{8}: (0x[0-9a-f]{8}\s*)+$/i,
  /^ELF file SHA256:/,
  /^Rebooting\.\.\./,
  /^Setting breakpoint at/,
  /^Debug exception reason:/,
  /^Memory dump at 0x/,
  /^Please enable CONFIG_ESP_SYSTEM_USE_FRAME_POINTER/,
  /^Entering gdb stub now/,
  /^=+ CORE DUMP/,
  /^CPU halted/,
  /^Core \d was running in ISR context/,
  /^Detected in task /,
];

const ends = /^Rebooting\.\.\.|^Entering gdb stub now|^CPU halted/;

function otherCause(line: string): string | undefined {
  const overflow = /^\*\*\*ERROR\*\*\* A stack overflow in task (\S{1,32}) has been detected/.exec(line);
  if (overflow !== null) return `stack overflow in task ${overflow[1]}`;
  if (line.startsWith("assert failed: ")) return line.slice(0, 300);
  if (line.startsWith("Stack smashing")) return "stack smashing";
  return line.startsWith("CORRUPT HEAP: ") ? "corrupt heap" : undefined;
}

function wordsOf(text: string): number[] {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => Number.parseInt(word, 16));
}
