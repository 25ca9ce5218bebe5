/** What a board, or whatever else is at the other end of the cable, says on a serial port; and the ELF file that a crash is read with. */
import { BoardSession } from "../../../host-tools/monitor/board-session.ts";
import { ElfError } from "../../../host-tools/monitor/elf/elf-error.ts";
import { ElfFile } from "../../../host-tools/monitor/elf/elf-file.ts";
import { encodePacket, PacketType } from "../../../protocols/improv/packets.ts";
import type { Target } from "../target.ts";

const monitor = "host-tools/monitor";

const dump = `Guru Meditation Error: Core  0 panic'ed (Store access fault). Exception was unhandled.
MEPC    : 0x42000028  RA      : 0x42000054  SP      : 0x3fc98300
Stack memory:
3fc98300: 0x00000000 0x42000062
ELF file SHA256: 012345678
Rebooting...
`;

const said = [
  dump,
  "Guru Meditation Error: Core  1 panic'ed (LoadProhibited).\nBacktrace: 0x400d15ee:0x3ffb21d0 |<-CORRUPTED\n",
  "rst:0xc (SW_CPU_RESET),boot:0x13 (SPI_FAST_FLASH_BOOT)\nE (310) wifi: no\n",
  'info: joined host=main reason="a b" member=north-1.4f1c\nXS abort: memory full \n',
  '<?xs.3FCA1B2C?><xsbug><log path="/x/main.js" line="12"># Exception: a &lt; b!&#10;</log></xsbug>\n',
  "\x1b[0;32mI (1) a: \u00b0\x1b[0m\r\n",
].map((text) => Uint8Array.from(Buffer.from(text)));

export const serialTargets: readonly Target[] = [
  {
    name: "console of a board",
    covers: [
      `${monitor}/line-reader.ts LineReader`,
      `${monitor}/log-line.ts readLogLine`,
      `${monitor}/panic.ts PanicReader`,
      `${monitor}/panic.ts readPanic`,
      `${monitor}/reset-reason.ts readReset`,
      `${monitor}/xsbug-text.ts readXsbug`,
    ],
    seeds: [...said, encodePacket(PacketType.state, Uint8Array.of(2))],
    errors: [],
    decode: (bytes) => {
      let count = 0;
      const session = new BoardSession({ baud: 115_200, elf: undefined, raw: false }, () => count++);
      for (let at = 0; at < bytes.length; at += 13) session.hear(bytes.subarray(at, at + 13), at);
      session.end(bytes.length);
      return [count, session.boardName];
    },
  },
  {
    name: "ELF file",
    covers: [`${monitor}/elf/elf-file.ts ElfFile`],
    seeds: [smallElf()],
    errors: [ElfError],
    decode: (bytes) => new ElfFile(bytes).places([0x42000020, 0x42000022, 0x42000030]),
  },
];

/** Code, one function in it, and its line: a header, four sections and what they hold. */
function smallElf(): Uint8Array {
  const names = "\0.text\0.symtab\0.strtab\0.debug_line\0";
  const lines = [
    // DWARF 4: one file, two rows.
    [4, 0],
    [29, 0, 0, 0],
    [1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1],
    [0],
    [0x61, 0x2e, 0x63, 0, 0, 0, 0],
    [0],
    [0, 0],
    [0, 5, 2, 0x20, 0, 0, 0x42, 0x14, 2, 16, 0, 1, 1],
  ].flat();
  const parts: readonly (readonly [
    name: string,
    type: number,
    flags: number,
    address: number,
    bytes: Uint8Array,
    link: number,
  ])[] = [
    ["", 0, 0, 0, new Uint8Array(0), 0],
    [".text", 1, 6, 0x42000020, new Uint8Array(16), 0],
    [".symtab", 2, 0, 0, words(1, 0x42000020, 16, 0x12), 3],
    [".strtab", 3, 0, 0, Uint8Array.from(Buffer.from(names)), 0],
    [".debug_line", 1, 0, 0, Uint8Array.from([...words(lines.length), ...lines]), 0],
  ];
  const headers: Uint8Array[] = [];
  const bodies: Uint8Array[] = [];
  let at = 52 + 40 * parts.length;
  for (const [name, type, flags, address, bytes, link] of parts) {
    headers.push(
      words(name === "" ? 0 : names.indexOf(name), type, flags, address, at, bytes.length, link, 0, 0, 0),
    );
    bodies.push(bytes);
    at += bytes.length;
  }
  const head = Buffer.alloc(52);
  head.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  head.writeUInt16LE(243, 18);
  head.writeUInt32LE(52, 32);
  head.writeUInt16LE(40, 46);
  head.writeUInt16LE(parts.length, 48);
  head.writeUInt16LE(3, 50);
  return Uint8Array.from(Buffer.concat([head, ...headers, ...bodies]));
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  for (const [i, value] of values.entries()) new DataView(bytes.buffer).setUint32(4 * i, value, true);
  return bytes;
}
