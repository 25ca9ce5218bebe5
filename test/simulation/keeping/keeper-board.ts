/** A board that keeps blocks, in virtual time: the keeper that ships, on flash in memory. */

import { Keeper } from "../../../firmware/keeping/keeper.ts";
import type { FlashRegion } from "../../../firmware/platform/ports.ts";
import { decodeCbor, encodeCbor } from "../../../host-tools/codec/cbor.ts";
import type { KeptBlock } from "../../../protocols/keeping/block.ts";
import { keepAnswerToWire, keepRequestFromWire } from "../../../protocols/keeping/messages.ts";

const sectorBytes = 4096;

export class KeeperBoard {
  readonly name: string;
  readonly zone: string;
  home: string;
  isOn = true;
  /** Counts its starts. */
  life = 0;
  /** Counts its memories. */
  incarnation = 1;
  readonly #random: () => number;
  readonly #sectors: number;
  #flash: MemoryFlash;
  #keeper: Keeper | undefined;

  constructor(name: string, zone: string, home: string, sectors: number, random: () => number) {
    this.name = name;
    this.zone = zone;
    this.home = home;
    this.#sectors = sectors;
    this.#random = random;
    this.#flash = new MemoryFlash(sectors);
  }

  get memberId(): string {
    return `${this.name}.${this.incarnation}`;
  }

  answer(payload: Uint8Array): Uint8Array {
    const answer = this.#running.answer(keepRequestFromWire(decodeCbor(payload)));
    return encodeCbor(keepAnswerToWire(answer));
  }

  powerOff(): void {
    this.isOn = false;
    this.life++;
    this.#keeper = undefined;
  }

  powerOn(): void {
    this.isOn = true;
  }

  /** As one that has never been used. */
  reflash(): void {
    this.powerOff();
    this.incarnation++;
    this.#flash = new MemoryFlash(this.#sectors);
    this.isOn = true;
  }

  get ring(): number {
    const answer = this.#running.answer({ kind: "list", id: 0, cursor: 0 });
    return answer.kind === "held" ? answer.ring.name : 0;
  }

  /** All that it has, looked for in its flash. */
  get blocks(): Map<string, KeptBlock> {
    const blocks = new Map<string, KeptBlock>();
    const names = new Set<string>();
    for (let cursor: number | undefined = 0; cursor !== undefined; ) {
      const page = this.#running.answer({ kind: "list", id: 0, cursor });
      if (page.kind !== "held") break;
      for (const { series } of page.runs) names.add(series);
      cursor = page.next;
    }
    for (const series of names) {
      for (let cursor: number | undefined = 0; cursor !== undefined; ) {
        const page = this.#running.answer({ kind: "read", id: 0, cursor, series, from: 0, to: 0xffff_ffff });
        if (page.kind !== "blocks") break;
        for (const block of page.blocks) blocks.set(`${series}#${block.number}`, block);
        cursor = page.next;
      }
    }
    return blocks;
  }

  get #running(): Keeper {
    this.#keeper ??= new Keeper(this.#flash, {
      memberId: this.memberId,
      drawName: () => Math.floor(this.#random() * 2 ** 32),
    });
    return this.#keeper;
  }
}

class MemoryFlash implements FlashRegion {
  readonly sectorBytes = sectorBytes;
  readonly alignBytes = 16;
  readonly #bytes: Uint8Array;

  constructor(sectors: number) {
    this.#bytes = new Uint8Array(sectors * sectorBytes).fill(0xff);
  }

  get sizeBytes(): number {
    return this.#bytes.length;
  }

  read(offsetBytes: number, lengthBytes: number): Uint8Array {
    return this.#bytes.slice(offsetBytes, offsetBytes + lengthBytes);
  }

  write(offsetBytes: number, bytes: Uint8Array): void {
    for (let i = 0; i < bytes.length; i++) this.#bytes[offsetBytes + i]! &= bytes[i]!;
  }

  eraseSector(sector: number): void {
    this.#bytes.fill(0xff, sector * sectorBytes, (sector + 1) * sectorBytes);
  }
}
