/** A whole board on a chip whose power may fail: life after life on the virtual platform, with its leader on the wire. */
import type { BoardConfig, StartReason } from "../../../firmware/platform/ports.ts";
import { VirtualBoard } from "../../../firmware/platform/virtual/virtual-board.ts";
import { decodeCbor } from "../../../protocols/cbor/decode.ts";
import type { FirmwareHealth } from "../../../protocols/messages/board-messages.ts";
import { wantFromWire } from "../../../protocols/update/messages.ts";
import { releaseKeyPrefix } from "../../../protocols/update/release.ts";
import { LeaderOnTheWire } from "../board/leader-on-the-wire.ts";
import { SimulatedBoard } from "../board/simulated-board.ts";
import { config } from "../board/surroundings.ts";
import type { ChipModel } from "./chip-model.ts";
import { type Host, hostWith, type Published } from "./updating.ts";

export class UpdatedBoard {
  readonly leader = new LeaderOnTheWire();
  readonly chip: ChipModel;
  readonly lines: string[] = [];
  /** Which firmware ran in each life. */
  readonly names: string[] = [];
  /** When each life began. */
  readonly lives: number[] = [];
  readonly reasons: string[] = [];
  readonly #over: Partial<BoardConfig>;
  it: SimulatedBoard;

  /** @param hosts by the port at which each answers; one for all by default */
  constructor(chip: ChipModel, published: readonly Published[], over: Partial<BoardConfig> = {}) {
    this.chip = chip;
    this.#over = over;
    const host: Host = hostWith(...published);
    this.leader.onWant = (payload) => host(wantFromWire(decodeCbor(payload)), 0);
    this.it = new SimulatedBoard(this.leader, undefined, 0, over);
    this.boot("power");
  }

  give({ signed }: Published): this {
    this.leader.put(`${releaseKeyPrefix}${config.model}`, signed);
    return this;
  }

  /** What the leader heard last. */
  get told(): FirmwareHealth | undefined {
    return this.leader.healths.at(-1)?.firmware;
  }

  get runs(): string {
    return this.names.at(-1)!;
  }

  run(forMs: number): this {
    const endMs = this.it.nowMs + forMs;
    while (this.it.nowMs < endMs) {
      this.it.run(0);
      const { flash } = this.chip;
      const [reason] = this.it.restarts;
      const [sleepMs] = this.it.sleepsMs;
      if (flash.power === 0) {
        flash.power = Infinity;
        this.next("power");
      } else if (reason !== undefined) {
        this.reasons.push(reason);
        this.next("restart");
      } else if (sleepMs !== undefined) {
        this.it.nowMs += sleepMs;
        this.next("sleep");
      }
    }
    return this;
  }

  private next(reason: StartReason): void {
    this.it.board.powerOff();
    this.leader.cut();
    this.it = new SimulatedBoard(this.leader, this.it.flash.reboot(), this.it.nowMs, this.#over);
    this.boot(reason);
  }

  private boot(startReason: StartReason): void {
    const { name, behaviour, slot } = this.chip.start();
    this.names.push(name);
    this.lives.push(this.it.nowMs);
    const { world } = this.it;
    const system = {
      ...world.system,
      startReason,
      markValid: () => this.chip.markValid(),
      log: (level: string, text: string) => void this.lines.push(`${level} ${text}`),
    };
    const network = behaviour === "good" ? world.network : { ...world.network, start: () => {} };
    const whole = { ...world, network, system, keyValue: this.chip, update: slot };
    Object.assign(this.it, { board: new VirtualBoard(whole, () => {}) });
  }
}
