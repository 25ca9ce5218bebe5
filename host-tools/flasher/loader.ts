/**
 * One conversation with the loader of a chip: esptool-js finds the chip and puts its stub into RAM; what is written, erased, read and compared from then on is said
 * here, command by command, because a block that went astray must not be sent twice into a stream that is being inflated.
 *
 * Commands: Espressif, "Serial Protocol" (docs.espressif.com/projects/esptool, advanced topics).
 */
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { ClassicReset, ESPLoader, UsbJtagSerialReset } from "esptool-js";
import { sectorBytes } from "../chips/chips.ts";
import { type ChipFacts, readFacts } from "./chip-facts.ts";
import { deflateInBlocks } from "./deflated.ts";
import { LoaderTransport } from "./loader-transport.ts";
import { problem, slowestBaud } from "./problems.ts";
import type { BoardPort } from "./serial/board-port.ts";

/** The chip did not follow to a rate; the same at a lower one may do. */
export class RateFailed extends Error {
  override readonly name = "RateFailed";
}

export class Loader {
  readonly facts: ChipFacts;
  /** In bit/s. */
  readonly baud: number;
  readonly #esp: ESPLoader;
  readonly #port: BoardPort;

  private constructor(port: BoardPort, esp: ESPLoader, facts: ChipFacts, baud: number) {
    this.#port = port;
    this.#esp = esp;
    this.facts = facts;
    this.baud = baud;
  }

  /**
   * Opens the port, resets the board into its loader, and starts the stub.
   *
   * @param baud what to go up to, in bit/s
   * @throws {FlashProblem} what keeps it from that, {RateFailed}, {PortLost}; any other error is noise on the line
   */
  static async attach(port: BoardPort, baud: number): Promise<Loader> {
    const esp = new ESPLoader({
      transport: new LoaderTransport(port),
      baudrate: slowestBaud,
      romBaudrate: slowestBaud,
      terminal: silent,
      resetConstructors: {
        // Where the USB ids are not known, as over the network, the second kind is tried in turn.
        classicReset: (transport, delayMs) =>
          delayMs > shortDelayMs && port.getInfo().usbVendorId === undefined
            ? (new UsbJtagSerialReset(transport) as unknown as ClassicReset)
            : new ClassicReset(transport, delayMs),
      },
    });
    try {
      await esp.detectChip("default_reset", connectAttempts);
    } catch (error) {
      throw diagnosed(port, error);
    }
    const facts = await readFacts(esp, port.name);
    if (facts.secureDownload) return new Loader(port, esp, facts, slowestBaud);
    await esp.runStub();
    const rate = port.hasBaud ? baud : slowestBaud;
    if (rate !== slowestBaud) await changeBaud(esp, port, rate);
    const flashBytes = flashBytesOf(await esp.readFlashId());
    return new Loader(port, esp, { ...facts, flashBytes }, rate);
  }

  /** Hexadecimal, as the chip computes it. */
  md5(offsetBytes: number, lengthBytes: number): Promise<string> {
    return this.#esp.flashMd5sum(offsetBytes, lengthBytes);
  }

  /** Both multiples of a sector. */
  async erase(offsetBytes: number, lengthBytes: number): Promise<void> {
    const timeoutMs = 3000 + (lengthBytes / sectorBytes) * sectorEraseMsMax;
    await this.#command("erase", this.#esp.ESP_ERASE_REGION, words(offsetBytes, lengthBytes), { timeoutMs });
  }

  /** @param written hears, in bytes, how far the chip has come */
  async write(offsetBytes: number, bytes: Uint8Array, written: (bytes: number) => void): Promise<void> {
    const esp = this.#esp;
    const padded = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(0xff);
    padded.set(bytes);
    const blockBytes = esp.FLASH_WRITE_SIZE;
    const blocks = await deflateInBlocks(padded, blockBytes);
    const begin = words(padded.length, blocks.length, blockBytes, offsetBytes);
    await this.#command("begin to write", esp.ESP_FLASH_DEFL_BEGIN, begin, { timeoutMs: 10_000 });
    let done = 0;
    // A block is answered when it came; it is written while the next one comes.
    let before = 0;
    for (const [i, { deflated, inflatedBytes }] of blocks.entries()) {
      const timeoutMs = 3000 + Math.ceil((before + inflatedBytes) / sectorBytes) * sectorEraseMsMax;
      const body = Buffer.concat([words(deflated.length, i, 0, 0), deflated]);
      await this.#command("write", esp.ESP_FLASH_DEFL_DATA, body, {
        checksum: esp.checksum(deflated),
        timeoutMs,
      });
      before = inflatedBytes;
      done += inflatedBytes;
      written(Math.min(done, bytes.length));
    }
    const timeoutMs = 3000 + Math.ceil(before / sectorBytes) * sectorEraseMsMax;
    await this.#command("finish to write", esp.ESP_FLASH_DEFL_END, words(1), { timeoutMs });
  }

  /** Checked by the chip's MD5 of what it sent. @throws when that does not fit */
  async read(offsetBytes: number, lengthBytes: number): Promise<Uint8Array> {
    const { transport, ESP_READ_FLASH } = this.#esp;
    await this.#command("read", ESP_READ_FLASH, words(offsetBytes, lengthBytes, sectorBytes, 1));
    const bytes = new Uint8Array(lengthBytes);
    for (let at = 0; at < lengthBytes; ) {
      const packet = await transport.read(3000);
      if (packet.length > lengthBytes - at) throw new Error("more came than was asked for");
      bytes.set(packet, at);
      at += packet.length;
      await transport.write(words(at));
    }
    const stated = await transport.read(3000);
    const found = createHash("md5").update(bytes).digest();
    if (Buffer.compare(stated, found) !== 0) throw new Error("what was read is not what the chip sent");
    return bytes;
  }

  /** Lets the board start its program. False when its reset can't be reached from here. */
  async restart(): Promise<boolean> {
    if (!this.#port.hasLines) return false;
    await this.#port.setSignals({ dataTerminalReady: false, requestToSend: true });
    await sleep(100);
    await this.#port.setSignals({ dataTerminalReady: false, requestToSend: false });
    return true;
  }

  async #command(
    what: string,
    operation: number,
    body: Uint8Array,
    { checksum = 0, timeoutMs = 3000 } = {},
  ): Promise<void> {
    await this.#esp.checkCommand(what, operation, body, checksum, 0, timeoutMs);
  }
}

const connectAttempts = 4;
const shortDelayMs = 50;
/** The longest by the datasheets of usual parts. */
const sectorEraseMsMax = 400;
const silent = { clean: () => {}, writeLine: () => {}, write: () => {} };

async function changeBaud(esp: ESPLoader, port: BoardPort, baud: number): Promise<void> {
  try {
    await esp.command(esp.ESP_CHANGE_BAUDRATE, words(baud, slowestBaud));
    await sleep(20);
    await port.setBaudRate(baud);
    await sleep(20);
    esp.transport.flushInput();
    await esp.readReg(esp.CHIP_DETECT_MAGIC_REG_ADDR, 500);
  } catch (error) {
    if (port.loss !== undefined) throw port.loss;
    throw new RateFailed(error instanceof Error ? error.message : String(error));
  }
}

/** What is to be said when no loader answered. */
function diagnosed(port: BoardPort, error: unknown): unknown {
  const heard = port.heard;
  if (port.loss !== undefined) return /in use|busy/i.test(heard) ? problem.portBusy(port.name) : port.loss;
  if (!(error instanceof Error) || error.name === "FlashProblem") return error;
  if (/^Unexpected/.test(error.message)) return problem.unknownChip(port.name, error.message);
  if (!error.message.startsWith("Failed to connect")) return error;
  const started = /boot:0x[0-9a-f]+ \((?!DOWNLOAD)/i.test(heard);
  return started || isText(heard) ? problem.wrongBootMode(port.name) : problem.noAnswer(port.name);
}

/** A program's log, and not noise. */
function isText(heard: string): boolean {
  const printable = heard.match(/[\s -~]/g)?.length ?? 0;
  return heard.length >= 16 && printable > heard.length * 0.9;
}

/** The third byte of its JEDEC id is the size's logarithm. */
function flashBytesOf(jedecId: number): number {
  const code = (jedecId >> 16) & 0xff;
  if (code >= 0x12 && code <= 0x1c) return 2 ** code;
  if (code >= 0x20 && code <= 0x22) return 2 ** (code + 6);
  if (code >= 0x32 && code <= 0x3a) return 2 ** (code - 0x20);
  return 0;
}

function words(...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [i, value] of values.entries()) view.setUint32(4 * i, value, true);
  return bytes;
}
