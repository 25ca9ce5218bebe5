/** An emulated controller on a serial device of this computer, as `covey improv --controller` takes one. */
import { PtyDevice } from "../pty/pty.ts";
import { EmulatedController } from "./controller.ts";
import type { EmulatedRadio } from "./radio.ts";

export class HciPort {
  readonly controller: EmulatedController;
  readonly #device: PtyDevice;

  private constructor(device: PtyDevice, radios: readonly EmulatedRadio[]) {
    this.#device = device;
    this.controller = new EmulatedController(radios, (bytes) => device.send(bytes));
    device.onHeard = (bytes) => this.controller.receive(bytes);
  }

  static async open(...radios: readonly EmulatedRadio[]): Promise<HciPort> {
    return new HciPort(await PtyDevice.make(), radios);
  }

  get port(): { readonly port: string; readonly baud: number } {
    return { port: this.#device.path, baud: 115_200 };
  }

  async remove(): Promise<void> {
    this.controller.close();
    await this.#device.remove();
  }
}
