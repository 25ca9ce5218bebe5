/**
 * What flashing costs on the wire and in time, against an emulated ESP32-C3 over RFC 2217: an app of 1.2 MB that deflates to about 0.55, the same again, with one sector
 * changed, eight boards at once; and plain esptool-js with the same files on the same emulator in the same run.
 */
import { createHash } from "node:crypto";
import { deflateSync } from "node:zlib";
import { ESPLoader, Transport } from "esptool-js";
import { flashBoard } from "../host-tools/flasher/flash-board.ts";
import { BoardPort } from "../host-tools/flasher/serial/board-port.ts";
import { type Layout, layoutOfFiles } from "../host-tools/images/layout.ts";
import { EmulatedChip } from "../test/emulators/esp-chip.ts";
import { boardFiles, flash4MB } from "../test/host-tools/flasher/board-image.ts";
import { printTable, type Row } from "./table.ts";

const chip = "esp32c3";
const appBytes = 1_200_000;
const boards = 8;
const baud = 460_800;

const layout = layoutOfFiles("bench", boardFiles({ chip, appBytes }));
const changed = layoutOfFiles("bench", boardFiles({ chip, appBytes, changedAt: 0x80040 }));

const first = await onBoard((board) => cost(board, () => covey(board.url, layout)));
const second = await onBoard(async (board) => {
  await covey(board.url, layout);
  return cost(board, () => covey(board.url, layout));
});
const sector = await onBoard(async (board) => {
  await covey(board.url, layout);
  return cost(board, () => covey(board.url, changed));
});
const peerFirst = await onBoard((board) => cost(board, () => esptoolJs(board.url, layout)));
const peerSecond = await onBoard(async (board) => {
  await esptoolJs(board.url, layout);
  return cost(board, () => esptoolJs(board.url, layout));
});
const alone = await wallSeconds(1);
const together = await wallSeconds(boards);
const peerAlone = await onBoard((board) => cost(board, () => esptoolJs(board.url, layout)), true);

const deflatedBytes = layout.pieces.reduce(
  (sum, { bytes }) => sum + deflateSync(bytes, { level: 9 }).length,
  0,
);
const app = layout.app!.bytes;
const ratio = deflateSync(app, { level: 9 }).length / app.length;
const percent = (part: number, whole: number) => `${((100 * part) / whole).toFixed(2)} %`;
const row = (what: string, { bytes, turns }: Cost, how: string): Row => ({
  what,
  figure: `${bytes.toLocaleString("en-US")} B, ${turns} turns`,
  how,
});
printTable(
  `Flashing ${chip}, app of ${appBytes.toLocaleString("en-US")} B (deflates to ${ratio.toFixed(3)})`,
  [
    {
      what: "bootloader, table and app, deflated",
      figure: `${deflatedBytes.toLocaleString("en-US")} B`,
      how: "each as one stream at level 9: the least that could be sent",
    },
    row(
      "first flash, blank board",
      first,
      `${percent(first.bytes - deflatedBytes, deflatedBytes)} over that: stub, frames, questions`,
    ),
    row("the same again", second, `${percent(second.bytes, first.bytes)} of the first`),
    row("one 4 KB sector changed", sector, `${percent(sector.bytes, first.bytes)} of the first`),
    row(
      "esptool-js alone, first flash",
      peerFirst,
      `${percent(peerFirst.bytes - deflatedBytes, deflatedBytes)} over the deflated size`,
    ),
    row(
      "esptool-js alone, the same again",
      peerSecond,
      `${percent(peerSecond.bytes, peerFirst.bytes)} of its first`,
    ),
    {
      what: "one board, whole",
      figure: `${alone.toFixed(1)} s`,
      how: `at ${baud.toLocaleString("en-US")} bit/s, line and flash at a board's pace`,
    },
    {
      what: `${boards} boards at once`,
      figure: `${together.toFixed(1)} s`,
      how: `${(together / alone).toFixed(2)} of one; ${boards} chips emulated in this process too`,
    },
    {
      what: "esptool-js alone, one board",
      figure: `${peerAlone.seconds.toFixed(1)} s`,
      how: "the same line and flash",
    },
  ],
);

interface Board {
  readonly emulated: EmulatedChip;
  readonly url: string;
}

/** On the serial line to the board, and commands, each of which waits for its answer. */
interface Cost {
  readonly bytes: number;
  readonly turns: number;
  readonly seconds: number;
}

async function onBoard<Result>(act: (board: Board) => Promise<Result>, paced = false): Promise<Result> {
  const emulated = new EmulatedChip({ chip, flashBytes: flash4MB, paced });
  const { url } = await emulated.listen();
  try {
    return await act({ emulated, url });
  } finally {
    await emulated.close();
  }
}

async function cost({ emulated }: Board, act: () => Promise<unknown>): Promise<Cost> {
  const turnsOf = () => Object.values(emulated.counters.commands).reduce((sum, count) => sum + count, 0);
  const [bytes, turns, startedMs] = [emulated.counters.bytesIn, turnsOf(), performance.now()];
  await act();
  const seconds = (performance.now() - startedMs) / 1000;
  return { bytes: emulated.counters.bytesIn - bytes, turns: turnsOf() - turns, seconds };
}

async function covey(port: string, wanted: Layout): Promise<void> {
  await flashBoard({
    port,
    baud,
    layoutFor: () => wanted,
    dryRun: false,
    eraseFirst: false,
    backup: undefined,
    signal: undefined,
    report: () => {},
  });
}

/** As its own examples use it. */
async function esptoolJs(port: string, { pieces }: Layout): Promise<void> {
  const device = new BoardPort(port);
  const transport = new Transport(device as never);
  transport.trace = () => {};
  const terminal = { clean: () => {}, writeLine: () => {}, write: () => {} };
  const loader = new ESPLoader({ transport, baudrate: baud, romBaudrate: 115_200, terminal });
  await loader.main();
  await loader.writeFlash({
    fileArray: pieces.map(({ offsetBytes, bytes }) => ({ address: offsetBytes, data: bytes })),
    flashSize: "keep",
    flashMode: "keep",
    flashFreq: "keep",
    eraseAll: false,
    compress: true,
    calculateMD5Hash: (data: Uint8Array) => createHash("md5").update(data).digest("hex"),
  });
  await device.close();
}

async function wallSeconds(count: number): Promise<number> {
  const emulated = Array.from(
    { length: count },
    () => new EmulatedChip({ chip, flashBytes: flash4MB, paced: true }),
  );
  const urls = await Promise.all(emulated.map((each) => each.listen()));
  const startedMs = performance.now();
  await Promise.all(urls.map(({ url }) => covey(url, layout)));
  const seconds = (performance.now() - startedMs) / 1000;
  for (const each of emulated) await each.close();
  return seconds;
}
