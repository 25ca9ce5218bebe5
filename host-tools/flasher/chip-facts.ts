/** What a chip tells of itself before anything is written: which it is, its revision, and what its eFuses lock. */
import type { ESPLoader } from "esptool-js";
import { type ChipName, chipLabelled, type EfuseField } from "../chips/chips.ts";
import { problem } from "./problems.ts";

export interface ChipFacts {
  readonly chip: ChipName;
  /** As Espressif writes it. */
  readonly label: string;
  /** In image headers. */
  readonly id: number;
  /** major * 100 + minor; 0 where it can't be read. */
  readonly revision: number;
  /** As `24:0a:c4:00:00:01`; empty where it can't be read. */
  readonly mac: string;
  /** 0 where it can't be read. */
  readonly flashBytes: number;
  readonly secureBoot: boolean;
  readonly flashEncryption: boolean;
  readonly secureDownload: boolean;
}

/** All but the flash's size, which takes the stub. @throws {FlashProblem} unknown-chip */
export async function readFacts(esp: ESPLoader, port: string): Promise<ChipFacts> {
  const chip = chipLabelled(esp.chip.CHIP_NAME);
  if (chip === undefined) throw problem.unknownChip(port, esp.chip.CHIP_NAME);
  const { name, label, id } = chip;
  const facts = { chip: name, label, id, flashBytes: 0, ...(await locksOf(esp, name)) };
  if (facts.secureDownload) return { ...facts, revision: 0, mac: "" };
  const { major, minor } = chip.revision;
  const revision = (await efuseNumber(esp, major)) * 100 + (await efuseNumber(esp, minor));
  return {
    ...facts,
    revision: name === "esp32" ? esp32Revision(revision) : revision,
    mac: await esp.chip.readMac(esp),
  };
}

/** The words for what is locked; empty when nothing is. */
export function locks({ secureBoot, flashEncryption, secureDownload }: ChipFacts): string[] {
  return [
    ...(secureBoot ? ["secure boot"] : []),
    ...(flashEncryption ? ["flash encryption"] : []),
    ...(secureDownload ? ["secure download mode"] : []),
  ];
}

type Locks = Pick<ChipFacts, "secureBoot" | "flashEncryption" | "secureDownload">;

async function locksOf(esp: ESPLoader, chip: ChipName): Promise<Locks> {
  if (chip === "esp32") {
    // BLOCK0: FLASH_CRYPT_CNT, of which an odd number of bits is on; ABS_DONE_0 and ABS_DONE_1.
    const [word0, word6] = [await esp.readReg(0x3ff5a000), await esp.readReg(0x3ff5a018)];
    const secureBoot = (word6 & 0x30) !== 0;
    return { secureBoot, flashEncryption: isOdd((word0 >>> 20) & 0x7f), secureDownload: false };
  }
  const { parsedFlags, flashCryptCnt } = await esp.getSecurityInfo();
  return {
    secureBoot: parsedFlags.SECURE_BOOT_EN,
    flashEncryption: isOdd(flashCryptCnt),
    secureDownload: parsedFlags.SECURE_DOWNLOAD_ENABLE,
  };
}

function isOdd(bits: number): boolean {
  let odd = false;
  for (let left = bits; left !== 0; left >>>= 1) odd = odd !== ((left & 1) === 1);
  return odd;
}

async function efuseNumber(esp: ESPLoader, fields: readonly EfuseField[]): Promise<number> {
  let number = 0;
  for (const { address, shift, bits } of fields) {
    const value = (await esp.readReg(address)) >>> shift;
    number = (number << bits) | (value & ((1 << bits) - 1));
  }
  return number;
}

/** Its three bits are set one after another: 0, 1, 3 and 7 are revisions 0 to 3. */
function esp32Revision(revision: number): number {
  const bits = Math.floor(revision / 100);
  return Math.floor(Math.log2(bits + 1)) * 100 + (revision % 100);
}
