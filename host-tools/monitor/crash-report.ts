/** A crash as one readable block: what happened, where, and what to do. */
import type { ElfFile } from "./elf/elf-file.ts";
import type { CrashEvent, CrashFrame } from "./monitor-event.ts";
import type { Panic } from "./panic.ts";
import { type Frame, framesOf } from "./panic-frames.ts";

export function panicReport(panic: Panic, elf: ElfFile | undefined): CrashEvent {
  const { cause, core, registers, lines } = panic;
  const frames = framesOf(panic, elf);
  const where = core === undefined ? "" : ` on core ${core}`;
  return {
    kind: "crash",
    source: "esp-idf",
    text: `crashed${where}: ${inWords(panic)}`,
    frames: frames.map(frameOf),
    notes: notesOn(panic, frames, elf),
    registers: Object.fromEntries(Object.entries(registers).map(([name, value]) => [name, hex(value)])),
    lines,
  };

  function inWords({ registers: { EXCVADDR, MTVAL } }: Panic): string {
    const meaning = meanings.find(([name]) => cause.startsWith(name));
    if (meaning === undefined) return cause;
    const address = EXCVADDR ?? MTVAL;
    const at =
      meaning[2] === "address" && address !== undefined ? ` at ${hex(address)}${ofNothing(address)}` : "";
    return `${meaning[1]}${at} (${cause})`;
  }
}

/** @param before what the engine said just before it gave up */
export function abortReport(reason: string, before: readonly string[], line: string): CrashEvent {
  const note = abortNotes.find(([name]) => reason.startsWith(name))?.[1];
  return {
    kind: "crash",
    source: "xs",
    text: `the JavaScript engine gave up: ${reason}`,
    frames: [],
    notes: note === undefined ? [] : [note],
    registers: {},
    lines: [...before, line],
  };
}

/** What our firmware says when an error reached its outermost turn. */
export function exceptionReport(reason: string, before: readonly string[], line: string): CrashEvent {
  return {
    kind: "crash",
    source: "xs",
    text: `the firmware met an error that it did not expect: ${reason}`,
    frames: [],
    notes: [
      "It restarts, and counts this: after several in a row it starts in safe mode, without the swarm's program.",
    ],
    registers: {},
    lines: [...before, line],
  };
}

/** Causes of Xtensa (ISA manual, EXCCAUSE), RISC-V (privileged ISA, mcause) and ESP-IDF's own. */
const meanings: readonly (readonly [name: string, words: string, says?: "address"])[] = [
  ["StoreProhibited", "it wrote to memory that is not there or not its own", "address"],
  ["Store access fault", "it wrote to memory that is not there or not its own", "address"],
  ["LoadProhibited", "it read from memory that is not there or not its own", "address"],
  ["Load access fault", "it read from memory that is not there or not its own", "address"],
  ["LoadStoreAlignment", "it read or wrote at an odd address", "address"],
  ["Load address misaligned", "it read at an odd address", "address"],
  ["Store address misaligned", "it wrote at an odd address", "address"],
  ["InstrFetchProhibited", "it jumped to where no code is"],
  ["Instruction access fault", "it jumped to where no code is"],
  ["Instruction address misaligned", "it jumped to where no code is"],
  ["IllegalInstruction", "it ran what is no instruction"],
  ["Illegal instruction", "it ran what is no instruction"],
  ["IntegerDivideByZero", "it divided by zero"],
  ["Interrupt wdt timeout", "interrupts were off for too long"],
  ["Double exception", "it crashed while it handled a crash"],
  ["Cache error", "it ran code from the flash while the flash was off"],
  ["Cache disabled", "it ran code from the flash while the flash was off"],
  ["Stack canary watchpoint triggered", "a task's stack overflowed"],
  ["Unhandled debug exception", "a task's stack overflowed, or a breakpoint was met"],
  ["Stack protection fault", "a task's stack overflowed"],
  ["abort()", "the firmware gave up by itself"],
];

/** The reasons of XS (xs/sources/xsError.c), which may name more behind them. */
const abortNotes: readonly (readonly [reason: string, note: string])[] = [
  [
    "memory full",
    "The board's heap is full: let it do less (fewer pipelines, sessions or keys); docs/budget.md has what takes how much.",
  ],
  [
    "JavaScript stack overflow",
    "Calls were nested too deep: look for a function that calls itself without an end.",
  ],
  ["stack overflow", "Calls were nested too deep: look for a function that calls itself without an end."],
  [
    "native stack overflow",
    "Native calls were nested too deep: look for a function that calls itself without an end.",
  ],
  [
    "not enough keys",
    "There is no room for another name of a property: keep data in arrays or a Map, not in properties with ever new names.",
  ],
  ["dead strip", "It called what the linker had left out of the image: build it anew with covey build."],
  ["unhandled exception", "An error was thrown that nobody caught: the lines before this one name it."],
  ["unhandled rejection", "A promise failed and nobody looked: the lines before this one name the error."],
  ["too much computation", "One turn took too long: do its work in smaller steps."],
];

function notesOn(
  { elfSha256, backtrace, corrupted, registers, waitsForDebugger }: Panic,
  frames: readonly Frame[],
  elf: ElfFile | undefined,
): string[] {
  const notes: string[] = [];
  if (elf === undefined) {
    if (frames.length > 0)
      notes.push("--elf FILE names functions and lines: FILE is the .elf that this firmware was linked as.");
  } else if (elfSha256 !== undefined && !elf.sha256.startsWith(elfSha256)) {
    notes.push(
      `The ELF file is not this firmware's (its SHA-256 begins with ${elf.sha256.slice(0, elfSha256.length)}, the firmware's with ${elfSha256}): names and lines may be wrong.`,
    );
  }
  if (backtrace.length === 0 && registers.MEPC !== undefined && frames.some(({ isSure }) => !isSure))
    notes.push(
      "Frames with ? were found on the stack: return addresses, some of which may be left from calls that had ended.",
    );
  if (corrupted) notes.push("The backtrace ends where the stack is damaged.");
  if (waitsForDebugger)
    notes.push(
      "The board waits for a debugger and does not restart by itself: press RESET, or attach with --reset.",
    );
  return notes;
}

function frameOf({ address, isSure, place }: Frame): CrashFrame {
  return {
    address: hex(address),
    ...(place?.function === undefined ? {} : { function: place.function, offsetBytes: place.offsetBytes }),
    ...(place?.source === undefined ? {} : place.source),
    ...(isSure ? {} : { isLikely: true }),
  };
}

/** A page or so from 0 is a property of an object that is not there. */
function ofNothing(address: number): string {
  return address < 0x1000 ? ", a null pointer" : "";
}

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16).padStart(8, "0")}`;
}
