/** The board's ports over the Moddable SDK: on a chip, and on the SDK's desktop platform `lin` with stand-ins for hardware. */
import near from "board-near";
import boardSensors from "board-sensors";
import { storedNamespace } from "../../core.ts";
import type { Bluetooth, Button, FlashRegion, Light, Ports } from "../ports.ts";
import { ChipActuators } from "./actuators.ts";
import { ChipBluetooth } from "./bluetooth.ts";
import { AttachedSensors } from "./board-sensors.ts";
import { ChipButton, ChipLight } from "./button-light.ts";
import { ChipRandom } from "./chip.ts";
import { ChipCiphers } from "./ciphers.ts";
import { ChipClock } from "./clock.ts";
import { ChipConsole } from "./console.ts";
import { ChipFlash, openSeries } from "./flash-partition.ts";
import { ChipKeyValue } from "./key-value.ts";
import { ChipNetwork } from "./network.ts";
import { provisioned } from "./provisioned.ts";
import { ChipSensors } from "./sensors.ts";
import { ChipSystem } from "./system.ts";
import { Traffic } from "./traffic.ts";
import { ChipUpdateSlot } from "./update-slot.ts";
import { WifiStation } from "./wifi.ts";

/** Label of the partition that the board's log has to itself; `boards/` gives every board one. */
const logPartition = "log";

export class ModdablePorts implements Ports {
  readonly clock = new ChipClock();
  readonly random = new ChipRandom();
  readonly ciphers = new ChipCiphers(this.random);
  readonly flash = new ChipFlash(logPartition);
  readonly actuators = new ChipActuators();
  readonly keyValue = new ChipKeyValue(storedNamespace);
  readonly update = new ChipUpdateSlot();
  readonly serial = new ChipConsole();
  readonly bluetooth?: Bluetooth;
  readonly button?: Button;
  readonly light?: Light;
  readonly network: ChipNetwork;
  readonly sensors: ChipSensors;
  readonly system: ChipSystem;

  /** Opened when it is asked for. */
  get keeping(): FlashRegion | undefined {
    return openSeries();
  }

  /** @throws ProvisioningError */
  constructor() {
    const { board, wifi, lacks, arenaBytes } = provisioned(this.keyValue);
    const { button, light, GATTServer } = near;
    if (GATTServer !== undefined) this.bluetooth = new ChipBluetooth(GATTServer);
    if (button !== undefined) this.button = new ChipButton(button.pin, button.pressed);
    if (light !== undefined) this.light = new ChipLight(light.pin);
    const traffic = new Traffic();
    this.system = new ChipSystem(board, arenaBytes, () => this.actuators.makeSafe());
    for (const { message } of lacks) this.system.log("error", message);
    this.network = new ChipNetwork(new WifiStation(wifi, this.clock, this.random), traffic);
    const attached = new AttachedSensors(boardSensors, this.clock, (level, text) =>
      this.system.log(level, text),
    );
    this.sensors = new ChipSensors(this.clock, this.system, traffic, attached);
  }
}
