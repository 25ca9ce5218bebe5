/** What a turn costs that does nothing, and what the simulator's adapter adds: a chip calls its peripherals directly. */

import { encodeCbor } from "../../host-tools/codec/cbor.ts";
import { buildXsHost } from "../../host-tools/simulator/xs-host/build.ts";
import { compileModule } from "../../host-tools/simulator/xs-host/bytecode.ts";
import { XsProcess } from "../../host-tools/simulator/xs-host/process.ts";
import type { ChipFirmware } from "./measured-board.ts";
import { ampleMemory } from "./memory.ts";

export interface AdapterCosts {
  readonly idleTurnInstructions: number;
  readonly sensorReadInstructions: number;
  /** Of 112 bytes: an entry of 64 with its frame. */
  readonly flashWriteInstructions: number;
}

/** As `firmware/platform/desktop/ports.ts` makes a call: encode, wait, decode. */
const main = `
  import { CborEncoder, decodeCbor } from "core";
  const encoder = new CborEncoder(8192);
  const record = new Uint8Array(112);
  const call = (request) => decodeCbor(new Uint8Array(host.call(encoder.encode(request))));
  const operations = [() => 0, () => call([9, "temperature"]), () => call([3, 4096, record])];
  host.turn = (message) => {
    operations[message === undefined ? 0 : new Uint8Array(message)[0]]();
    return Infinity;
  };
`;

export async function measureAdapter({ host, core }: ChipFirmware): Promise<AdapterCosts> {
  const board = new XsProcess({
    host,
    core,
    main: await compileModule(await buildXsHost(), "main", main),
    ...ampleMemory,
    onCall: (request) => encodeCbor([0, request.length > 100 ? null : 20.5]),
  });
  await board.turn(0);
  const cost = async (operation: number) => {
    await board.turn(1, new Uint8Array([operation]));
    return (await board.turn(1, new Uint8Array([operation]))).heap.machineInstructions;
  };
  const [idle, read, write] = [await cost(0), await cost(1), await cost(2)];
  await board.stop();
  return {
    idleTurnInstructions: idle,
    sensorReadInstructions: read - idle,
    flashWriteInstructions: write - idle,
  };
}
