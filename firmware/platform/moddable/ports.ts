/** The board's ports over the Moddable SDK: on a chip, and on the SDK's desktop platform `lin` with stand-ins for hardware. */
import type { Ports } from "../ports.ts";
import { ChipActuators } from "./actuators.ts";
import { ChipRandom } from "./chip.ts";
import { ChipClock } from "./clock.ts";
import { ChipFlash } from "./flash-partition.ts";
import { ChipNetwork } from "./network.ts";
import type { Provisioned } from "./provisioned.ts";
import { ChipSensors } from "./sensors.ts";
import { ChipSystem } from "./system.ts";
import { Traffic } from "./traffic.ts";
import { WifiStation } from "./wifi.ts";

/** Label of the partition that the board's log has to itself; `boards/` gives every board one. */
const logPartition = "log";

export class ModdablePorts implements Ports {
  readonly clock = new ChipClock();
  readonly random = new ChipRandom();
  readonly flash = new ChipFlash(logPartition);
  readonly actuators = new ChipActuators();
  readonly network: ChipNetwork;
  readonly sensors: ChipSensors;
  readonly system: ChipSystem;

  constructor({ board, wifi, arenaBytes }: Provisioned) {
    const traffic = new Traffic();
    this.system = new ChipSystem(board, arenaBytes);
    this.network = new ChipNetwork(new WifiStation(wifi, this.clock, this.random), traffic);
    this.sensors = new ChipSensors(this.clock, this.system, traffic);
  }
}
