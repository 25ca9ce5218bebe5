/** Crashes as ESP-IDF and XS print them, decoded. */
import { expect, test } from "vitest";
import { ElfFile } from "../../../host-tools/monitor/elf/elf-file.ts";
import type { CrashEvent } from "../../../host-tools/monitor/monitor-event.ts";
import { decode } from "./decoded.ts";
import { compileProgram } from "./elf/crashing-program.ts";

test("a RISC-V dump becomes a call chain with functions and lines", () => {
  const program = compileProgram(5);
  const store = program.instruction("store_reading", /^c?\.?sw\s/);
  const inSamples = program.after("take_samples", /jal.*store_reading/);
  const inMain = program.after("app_main", /jal.*take_samples/);
  const inStart = program.after("_start", /jal.*app_main/);
  const noCall = program.functions.get("take_samples")! + 2;
  const elf = new ElfFile(program.bytes);
  const dump = riscVDump(
    store,
    inSamples,
    [0, noCall, inMain, 0x3fc98300, inSamples, inStart],
    elf.sha256.slice(0, 9),
  );
  const { events } = decode(dump, { elf });
  expect(events.map(({ kind }) => kind)).toEqual(["crash", "line"]);
  const crash = events[0] as CrashEvent;
  expect(crash.text).toBe(
    "crashed on core 0: it wrote to memory that is not there or not its own at 0x00000000, a null pointer (Store access fault)",
  );
  // What is on the stack twice, and what follows no call, is left out.
  expect(
    crash.frames.map((frame) => [frame.function, `${frame.file}:${frame.line}`, frame.isLikely ?? false]),
  ).toEqual([
    ["store_reading", program.line(store), false],
    ["take_samples", program.line(inSamples - 1), true],
    ["app_main", program.line(inMain - 1), true],
    ["_start", program.line(inStart - 1), true],
  ]);
  expect(crash.frames[0]?.file).toMatch(/sensing\.c$/);
  expect(crash.frames[0]?.line).toBe(6);
  expect(crash.registers).toMatchObject({ MCAUSE: "0x00000007", "S0/FP": "0x420001ea" });
  expect(crash.notes.join()).not.toContain("not this firmware's");
});

test("an ELF file of another build is said to be one; without any, addresses stay", () => {
  const program = compileProgram(4);
  const elf = new ElfFile(program.bytes);
  const dump = riscVDump(
    0x42000024,
    0x42000030,
    [],
    elf.sha256.startsWith("0123") ? "fedcba987" : "012345678",
  );
  expect((decode(dump, { elf }).events[0] as CrashEvent).notes[0]).toContain("is not this firmware's");
  const bare = decode(dump).events[0] as CrashEvent;
  expect(bare.frames).toEqual([{ address: "0x42000024" }, { address: "0x42000030", isLikely: true }]);
  expect(bare.notes[0]).toContain("--elf");
});

test("an Xtensa dump: its backtrace, its address, and that it is damaged", () => {
  const { events } = decode(xtensaDump);
  const crash = events[0] as CrashEvent;
  expect(crash.text).toBe(
    "crashed on core 1: it wrote to memory that is not there or not its own at 0x00000010, a null pointer (StoreProhibited)",
  );
  expect(crash.frames.map(({ address }) => address)).toEqual(["0x400d15ee", "0x400d1606", "0x40089d1d"]);
  expect(crash.notes).toContain("The backtrace ends where the stack is damaged.");
  expect(events.map(({ kind }) => kind)).toEqual(["crash", "line", "line", "reset"]);
});

test.each([
  [
    "abort() was called at PC 0x42001234 on core 0",
    "crashed on core 0: the firmware gave up by itself (abort())",
  ],
  [
    "assert failed: xQueueSemaphoreTake queue.c:1549 (( pxQueue ))",
    "crashed: assert failed: xQueueSemaphoreTake queue.c:1549 (( pxQueue ))",
  ],
  ["***ERROR*** A stack overflow in task main has been detected.", "crashed: stack overflow in task main"],
  [
    "Guru Meditation Error: Core  0 panic'ed (Unhandled debug exception).",
    "crashed on core 0: a task's stack overflowed, or a breakpoint was met (Unhandled debug exception)",
  ],
  [
    "Guru Meditation Error: Core  0 panic'ed (Interrupt wdt timeout on CPU0).",
    "crashed on core 0: interrupts were off for too long (Interrupt wdt timeout on CPU0)",
  ],
])("%s", (line, text) => {
  const { events } = decode(`${line}\r\n\r\nBacktrace: 0x40081234:0x3ffb0000\r\n\r\nRebooting...\r\n`);
  expect(events).toMatchObject([{ kind: "crash", text, frames: [{ address: expect.any(String) }] }]);
});

test("a dump that stops half-way is told when nothing more comes", () => {
  const { events, session } = decode(
    "Guru Meditation Error: Core  0 panic'ed (Illegal instruction). \r\nMEPC    : 0x42000028",
  );
  expect(events).toEqual([]);
  session.end(5000);
  expect(events).toMatchObject([{ kind: "crash", registers: { MEPC: "0x42000028" } }]);
});

test("a core dump for tools is left out of the log, however long", () => {
  const core = "c3VyZWx5IG5vdCBhIHJlYWwgb25l\r\n".repeat(600);
  const { events } = decode(
    `Backtrace: 0x40081234:0x3ffb0000\r\n================= CORE DUMP START =================\r\n${core}================= CORE DUMP END =================\r\nRebooting...\r\ninfo: ok\r\n`,
  );
  expect(events.map(({ kind }) => kind)).toEqual(["crash", "line"]);
  expect((events[0] as CrashEvent).lines.length).toBeLessThanOrEqual(400);
});

test("XS that gives up, with what it said before, and an error of our firmware", () => {
  const { events } = decode(
    "# Chunk allocation: 84 bytes failed in fixed size heap\nXS abort: memory full \n" +
      'error: crashed reason="TypeError: no \\"call\\""\nXS abort: unhandled exception no such host\n',
  );
  expect(events[1]).toMatchObject({
    kind: "crash",
    source: "xs",
    text: "the JavaScript engine gave up: memory full",
    lines: ["# Chunk allocation: 84 bytes failed in fixed size heap", "XS abort: memory full "],
  });
  expect(events[2]).toMatchObject({
    text: 'the firmware met an error that it did not expect: TypeError: no "call"',
  });
  expect(events[3]).toMatchObject({
    text: "the JavaScript engine gave up: unhandled exception no such host",
    lines: [expect.any(String)],
  });
});

/** As an ESP32-C3 with ESP-IDF 5 prints it. */
function riscVDump(pc: number, ra: number, stack: readonly number[], sha: string): string {
  const hex = (value: number) => `0x${value.toString(16).padStart(8, "0")}`;
  return [
    "Guru Meditation Error: Core  0 panic'ed (Store access fault). Exception was unhandled.",
    "",
    "Core  0 register dump:",
    `MEPC    : ${hex(pc)}  RA      : ${hex(ra)}  SP      : 0x3fc98300  GP      : 0x3fc8d000  `,
    "TP      : 0x3fc98350  T0      : 0x4005890e  T1      : 0x3fc8f000  T2      : 0x00000000  ",
    "S0/FP   : 0x420001ea  S1      : 0x3fc8f000  A0      : 0x00000001  A1      : 0x00000001  ",
    "MSTATUS : 0x00001801  MTVEC   : 0x40380001  MCAUSE  : 0x00000007  MTVAL   : 0x00000000  ",
    "MHARTID : 0x00000000  ",
    "",
    "Stack memory:",
    `3fc98300: ${[...stack, 0, 0, 0, 0, 0, 0, 0, 0].slice(0, 8).map(hex).join(" ")}`,
    "3fc98320: 0x00000000 0x00000000 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5 0xa5a5a5a5",
    "",
    "",
    "",
    `ELF file SHA256: ${sha}`,
    "",
    "Rebooting...",
    "info: after",
    "",
  ].join("\r\n");
}

/** As an ESP32 with ESP-IDF 5 prints it. */
const xtensaDump = [
  "Guru Meditation Error: Core  1 panic'ed (StoreProhibited). Exception was unhandled.",
  "",
  "Core  1 register dump:",
  "PC      : 0x400d15f1  PS      : 0x00060b30  A0      : 0x800d1609  A1      : 0x3ffb21d0  ",
  "A14     : 0x00ff0000  A15     : 0x0000002a  SAR     : 0x0000000c  EXCCAUSE: 0x0000001d  ",
  "EXCVADDR: 0x00000010  LBEG    : 0x40086161  LEND    : 0x40086171  LCOUNT  : 0xfffffff5  ",
  "",
  "",
  "Backtrace: 0x400d15ee:0x3ffb21d0 0x400d1606:0x3ffb21f0 0x40089d1d:0x3ffb2210 |<-CORRUPTED",
  "",
  "",
  "",
  "ELF file SHA256: a3f47cd75",
  "",
  "Rebooting...",
  "ets Jul 29 2019 12:21:46",
  "",
  "configsip: 0, SPIWP:0xee",
  "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)",
  "",
].join("\r\n");
