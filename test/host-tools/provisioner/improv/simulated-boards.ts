/** Boards in the real XS engine with a console, or a radio, in the air of two networks. */
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Bluetooth, Button, KeyValue, Light } from "../../../../firmware/platform/ports.ts";
import type { MemberSecrets } from "../../../../host-tools/security/member-file.ts";
import { FlashFile, nor } from "../../../../host-tools/simulator/chip/flash-file.ts";
import type { XsBoard } from "../../../../host-tools/simulator/engines/xs-board.ts";
import type { XsEngine } from "../../../../host-tools/simulator/engines/xs-engine.ts";
import { SimulatedWorld } from "../../../../host-tools/simulator/world/simulated-world.ts";
import { WifiAir } from "../../../../host-tools/simulator/world/wifi-air.ts";
import type { ConsoleLine } from "../../../emulators/serial/console-line.ts";

export const home = { ssid: "MyWirelessAP", password: "mysecurepassword" };

export interface Surroundings {
  readonly serial?: ConsoleLine | undefined;
  readonly bluetooth?: Bluetooth | undefined;
  readonly button?: Button | undefined;
  readonly light?: Light | undefined;
}

/** A board, without an identity unless it is given one, and what it keeps from one start to the next. */
export class ImprovBoard {
  readonly values = new Map<string, Uint8Array>();
  readonly lines: string[] = [];
  readonly restarts: string[] = [];
  readonly air = new WifiAir([
    { ...home, rssi: -48, joinMs: 300 },
    { ssid: "Café", password: "", rssi: -81, joinMs: 300 },
  ]);
  readonly #folder = fs.mkdtempSync(join(tmpdir(), "covey-improv-"));
  readonly #near: Surroundings;
  readonly #member: MemberSecrets | undefined;
  #board: XsBoard | undefined;

  constructor(near: Surroundings, member?: MemberSecrets) {
    this.#near = near;
    this.#member = member;
  }

  get board(): XsBoard | undefined {
    return this.#board;
  }

  powerOn(engine: XsEngine): void {
    const values: KeyValue = {
      read: (key) => this.values.get(key),
      write: (key, value) => void this.values.set(key, Uint8Array.from(value)),
      delete: (key) => void this.values.delete(key),
    };
    const none = new Uint8Array(0);
    const { swarm = "", name = "" } = this.#member?.identity ?? {};
    const { root = none, signed = none, privateKey = none } = this.#member ?? {};
    const world = new SimulatedWorld({
      config: {
        swarm,
        board: name,
        model: "esp32c3-devkit",
        hosts: [],
        credentials: { root, signed, privateKey },
      },
      flash: FlashFile.open(join(this.#folder, "log.flash"), { sizeBytes: 65_536, ...nor }).flash,
      chip: {
        values,
        update: undefined as never,
        markValid: () => {},
        close: () => {},
      },
      near: this.#near,
      air: this.air,
      sensors: new Map(),
      onLog: (level, text) => {
        this.lines.push(`${level}: ${text}`);
        this.#near.serial?.log(level, text);
      },
      onOutput: () => {},
      onRestart: (reason) => this.restarts.push(reason),
      onDeepSleep: () => {},
    });
    this.#board = engine.powerOn(world, { arenaBytes: 94_208, stackSlots: 800 });
  }

  async powerOff(): Promise<void> {
    await this.#board?.powerOff();
    fs.rmSync(this.#folder, { recursive: true });
  }
}
