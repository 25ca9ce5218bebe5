/**
 * The loader in the chip's ROM. Espressif, "Serial Protocol": four status bytes, flash erased at BEGIN, each block
 * written before its answer, MD5 as text; in Secure Download Mode only what writes.
 *
 * Two things are not documented and are as its clients need them: an unknown command is answered eight times under
 * another number than its own, and a block that is out of turn or over the announced size is an invalid message.
 */
import { FlashDownload } from "./flash-download.ts";
import type { Loader, Machine } from "./machine.ts";
import { MemoryDownload } from "./memory-download.ts";
import { command, dataChecksum, type Request, readRequest, responsePacket, word } from "./packet.ts";
import { securityInfo } from "./security-info.ts";
import { writeRegisters } from "./write-registers.ts";

export class RomLoader implements Loader {
  readonly maxPacketBytes = 0x4000 + 0x100;
  readonly endsEmptyFrames = false;
  readonly #machine: Machine;
  readonly #memory: MemoryDownload;
  #flash: FlashDownload | undefined;
  #attached = false;
  #sequence = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#memory = new MemoryDownload(machine.space);
  }

  async handle(packet: Uint8Array): Promise<void> {
    const request = readRequest(packet);
    if (request === undefined || request.direction !== 0) return;
    if (request.statedBytes !== request.body.length) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    const forbidden = this.#machine.efuses.secureDownload && !allowedInSecureDownload.has(request.command);
    const handler = forbidden ? undefined : this.#handlers.get(request.command);
    if (handler === undefined) this.#refuse();
    else await handler(request);
  }

  readonly #handlers: ReadonlyMap<number, (request: Request) => void | Promise<void>> = new Map<
    number,
    (request: Request) => void | Promise<void>
  >([
    [command.sync, (request) => this.#sync(request)],
    [command.readReg, (request) => this.#readReg(request)],
    [command.writeReg, (request) => this.#writeReg(request)],
    [
      command.memBegin,
      (request) => this.#answer(request, this.#memory.begin(request) ? 0 : romError.parameter),
    ],
    [command.memData, (request) => this.#memData(request)],
    [command.memEnd, (request) => this.#memEnd(request)],
    [command.spiAttach, (request) => this.#spiAttach(request)],
    [
      command.spiSetParams,
      (request) => this.#answer(request, request.body.length >= 24 ? 0 : romError.parameter),
    ],
    [command.changeBaudrate, (request) => this.#changeBaudrate(request)],
    [command.flashBegin, (request) => this.#flashBegin(request, false)],
    [command.flashDeflBegin, (request) => this.#flashBegin(request, true)],
    [command.flashData, (request) => this.#flashData(request)],
    [command.flashDeflData, (request) => this.#flashData(request)],
    [command.flashEnd, (request) => this.#flashEnd(request)],
    [command.flashDeflEnd, (request) => this.#flashEnd(request)],
    [command.spiFlashMd5, (request) => this.#md5(request)],
    [command.readFlashSlow, (request) => this.#readFlash(request)],
    [command.getSecurityInfo, (request) => this.#securityInfo(request)],
  ]);

  #answer(request: Request, error: number, value = 0, data: Uint8Array = nothing): void {
    const status = [error === 0 ? 0 : 1, error, 0, 0];
    this.#machine.send(responsePacket(request.command, value, error === 0 ? data : nothing, status));
  }

  #refuse(): void {
    const status = [1, romError.invalidMessage, 0, 0];
    for (let i = 0; i < 8; i++) this.#machine.send(responsePacket(0, 0, nothing, status));
  }

  #sync(request: Request): void {
    const { body } = request;
    if (
      body.length !== 36 ||
      word(body, 0) !== syncWord ||
      !body.subarray(4).every((byte) => byte === 0x55)
    ) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    for (let i = 0; i < 8; i++) this.#answer(request, 0, syncWord);
  }

  #readReg(request: Request): void {
    if (request.body.length !== 4) this.#answer(request, romError.invalidMessage);
    else this.#answer(request, 0, this.#machine.space.read(word(request.body, 0)));
  }

  /** One or more of: address, value, mask, delay in us. */
  #writeReg(request: Request): void {
    const { body } = request;
    if (body.length === 0 || body.length % 16 !== 0) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    writeRegisters(this.#machine, body);
    this.#answer(request, 0);
  }

  #memData(request: Request): void {
    this.#answer(
      request,
      { ok: 0, checksum: romError.checksum, size: romError.ramSize, idle: romError.message }[
        this.#memory.data(request)
      ],
    );
  }

  #memEnd(request: Request): void {
    if (request.body.length !== 8) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    const entry = word(request.body, 1);
    const complete = this.#memory.end();
    this.#answer(request, complete ? 0 : romError.message);
    if (complete && word(request.body, 0) === 0) this.#machine.run(entry);
  }

  /** The ROM's has a second word, zero. */
  #spiAttach(request: Request): void {
    const wrong = request.body.length !== 8;
    this.#attached ||= !wrong;
    this.#answer(request, wrong ? romError.invalidMessage : 0);
  }

  #changeBaudrate(request: Request): void {
    if (request.body.length !== 8) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    this.#answer(request, 0);
    this.#machine.setBaud(word(request.body, 0));
  }

  /** Later chips have a fifth word: whether the flash is encrypted on the way. */
  async #flashBegin(request: Request, deflated: boolean): Promise<void> {
    const expected = this.#machine.traits.securityInfo ? 20 : 16;
    if (request.body.length !== expected && request.body.length !== 20) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    this.#flash = undefined;
    const download = new FlashDownload(this.#machine.flash, request.body, deflated);
    if (!this.#attached || !download.fits) {
      this.#answer(request, this.#attached ? romError.parameter : romError.result);
      return;
    }
    await download.eraseAll();
    this.#flash = download;
    this.#sequence = 0;
    this.#answer(request, 0);
  }

  async #flashData(request: Request): Promise<void> {
    this.#answer(request, await this.#writeBlock(request));
  }

  async #writeBlock(request: Request): Promise<number> {
    const download = this.#flash;
    const deflated = request.command === command.flashDeflData;
    if (download === undefined || (download.inflate !== undefined) !== deflated) return romError.result;
    if (request.body.length < 16) return romError.invalidMessage;
    const data = request.body.subarray(16);
    if (word(request.body, 0) !== data.length || data.length > download.blockBytes)
      return romError.invalidMessage;
    if (dataChecksum(data) !== request.checksum) return romError.checksum;
    if (word(request.body, 1) !== this.#sequence) return romError.invalidMessage;
    this.#sequence++;
    if (download.inflate === undefined) {
      const wanted = data.subarray(0, Math.min(data.length, download.remainingBytes));
      return this.#program(download, wanted);
    }
    const inflated = download.inflate.push(data);
    if ("error" in inflated) return inflated.error === "adler32" ? romError.adler32 : romError.deflate;
    for (const piece of inflated.pieces) {
      const error = await this.#program(download, piece);
      if (error !== 0) return error;
    }
    return 0;
  }

  /** Writes and reads back. */
  async #program(download: FlashDownload, data: Uint8Array): Promise<number> {
    if (data.length > download.remainingBytes) return romError.deflateParameter;
    const at = download.offset;
    if (!(await download.write(data))) return romError.parameter;
    const held = this.#machine.flash.bytes.subarray(at, at + data.length);
    return Buffer.compare(held, data) === 0 ? 0 : romError.flashWrite;
  }

  /** 0 reboots, 1 stays. */
  #flashEnd(request: Request): void {
    if (request.body.length !== 4) {
      this.#answer(request, romError.invalidMessage);
      return;
    }
    this.#flash = undefined;
    this.#answer(request, 0);
    if (word(request.body, 0) === 0) this.#machine.restart();
  }

  #md5(request: Request): void {
    const wrong = this.#refusedRead(request, 16);
    if (wrong !== 0) {
      this.#answer(request, wrong);
      return;
    }
    const md5 = this.#machine.md5(word(request.body, 0), word(request.body, 1));
    this.#answer(request, 0, 0, Buffer.from(Buffer.from(md5).toString("hex"), "ascii"));
  }

  /** At most 64 bytes; the answer always has 64. */
  #readFlash(request: Request): void {
    const wrong = this.#refusedRead(request, 8);
    if (wrong !== 0 || word(request.body, 1) > 64) {
      this.#answer(request, wrong !== 0 ? wrong : romError.readLength);
      return;
    }
    const data = new Uint8Array(64);
    const offset = word(request.body, 0);
    data.set(this.#machine.flash.bytes.subarray(offset, offset + word(request.body, 1)));
    this.#answer(request, 0, 0, data);
  }

  #refusedRead(request: Request, bodyBytes: number): number {
    if (request.body.length !== bodyBytes) return romError.invalidMessage;
    if (!this.#attached) return romError.result;
    return this.#machine.flash.holds(word(request.body, 0), word(request.body, 1)) ? 0 : romError.flashRead;
  }

  #securityInfo(request: Request): void {
    if (!this.#machine.traits.securityInfo) this.#refuse();
    else this.#answer(request, 0, 0, securityInfo(this.#machine));
  }
}

/** "ROM Loader Errors". */
export const romError = {
  parameter: 0x01,
  message: 0x04,
  invalidMessage: 0x05,
  result: 0x06,
  checksum: 0x07,
  flashWrite: 0x08,
  flashRead: 0x09,
  readLength: 0x0a,
  deflate: 0x0b,
  adler32: 0x0c,
  deflateParameter: 0x0d,
  ramSize: 0x0e,
  ramAddress: 0x0f,
} as const;

/** "Supported in Secure Download Mode". */
const allowedInSecureDownload: ReadonlySet<number> = new Set([
  command.sync,
  command.spiAttach,
  command.spiSetParams,
  command.changeBaudrate,
  command.flashBegin,
  command.flashData,
  command.flashEnd,
  command.getSecurityInfo,
]);

const syncWord = 0x20120707;
const nothing = new Uint8Array(0);
