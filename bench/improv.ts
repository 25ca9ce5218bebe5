/**
 * What Improv takes of a busy board's heap while it listens on its console and somebody speaks with it, against the same board without a console:
 * `node bench/improv.ts`. On the bare-metal rv32 host, so it repeats exactly.
 */

import { sectorBytes } from "../host-tools/boards/boards.ts";
import { encodePacket, PacketType } from "../protocols/improv/packets.ts";
import { Command, encodeCommand } from "../protocols/improv/rpc.ts";
import { programBytes, SimulatedSurroundings } from "../test/firmware/board/surroundings.ts";
import { FlashModel } from "../test/firmware/storage/flash-model.ts";
import { chipFirmware, MeasuredBoard } from "./board/measured-board.ts";
import { chipMemory } from "./board/memory.ts";
import { type ScenarioParts, wholePackets } from "./board/scenarios.ts";
import { programOf } from "./board/whole-firmware.ts";

const parts: ScenarioParts = {
  firmware: await chipFirmware(),
  memory: chipMemory(),
  flashBytes: 64 * sectorBytes,
  sectorBytes,
};
const program = programOf(10, 1000);
for (const [name, hasConsole, isSpokenTo] of [
  ["without a console", false, false],
  ["listening", true, false],
  ["spoken to every second", true, true],
] as const) {
  const { peak, live } = await worked(hasConsole, isSpokenTo);
  console.log(`${name.padEnd(24)} heap peak ${peak} bytes, held on to ${live}`);
}

async function worked(hasConsole: boolean, isSpokenTo: boolean) {
  const { flashBytes } = parts;
  const leader = wholePackets();
  const here = new SimulatedSurroundings(leader, FlashModel.blank(flashBytes / sectorBytes, sectorBytes), 0);
  let tell = (_bytes: Uint8Array) => {};
  let answers = 0;
  const serial = {
    listen: (onData: (bytes: Uint8Array) => void) => {
      tell = onData;
    },
    write: () => void answers++,
    close: () => {},
  };
  if (hasConsole) Object.assign(here, { world: { ...here.world, serial } });
  const board = new MeasuredBoard(parts.firmware, here, parts.memory);
  await board.run(1060);
  leader.put("program/north-1", programBytes(program));
  await board.run(5000);
  const ask = encodePacket(PacketType.command, encodeCommand(Command.deviceInfo, new Uint8Array(0)));
  for (let second = 0; second < 20; second++) {
    if (isSpokenTo) tell(ask);
    await board.run(1000);
  }
  await board.powerOff();
  if (isSpokenTo && answers < 20) throw new Error(`The board answered only ${answers} times.`);
  const late = board.turns.slice(-Math.floor(board.turns.length / 3));
  return {
    live: Math.min(...late.map(({ heap }) => heap.usedBytes)),
    peak: board.turns.at(-1)!.heap.peakBytes,
  };
}
