/**
 * The loader that clients put into RAM: `espressif/esp-flasher-stub`, release 1. Two status bytes, the first of
 * which is the error; a block is answered when it has come and written while the next one comes, so that its
 * trouble is told in the answer to the next command; flash is erased just ahead of the writing.
 */
import { sectorBytes } from "../esp/nor-flash.ts";
import { FlashDownload } from "./flash-download.ts";
import type { Loader, Machine } from "./machine.ts";
import { MemoryDownload } from "./memory-download.ts";
import { command, dataChecksum, type Request, readRequest, responsePacket, word } from "./packet.ts";
import { securityInfo } from "./security-info.ts";
import { writeRegisters } from "./write-registers.ts";

/** What a command answers, and what is done after the answer went out. */
interface Reply {
  readonly error?: number;
  readonly value?: number;
  readonly data?: Uint8Array;
  /** Its result is 0 or the error that the next command is answered with. */
  readonly after?: () => number | Promise<number>;
}

export class StubLoader implements Loader {
  readonly maxPacketBytes = 8 + 0x4000 + 0xff;
  readonly endsEmptyFrames = true;
  readonly #machine: Machine;
  readonly #memory: MemoryDownload;
  #flash: FlashDownload | undefined;
  #pendingError = 0;

  constructor(machine: Machine) {
    this.#machine = machine;
    this.#memory = new MemoryDownload(machine.space);
  }

  /** Tells the client that it runs. */
  greet(): void {
    this.#machine.send(Buffer.from("OHAI", "ascii"));
  }

  async handle(packet: Uint8Array): Promise<void> {
    const request = readRequest(packet);
    if (request === undefined) return;
    if (request.direction !== 0) this.#respond(request, { error: stubError.invalidCommand });
    else if (request.statedBytes !== request.body.length)
      this.#respond(request, { error: stubError.dataLength });
    else if (this.#pendingError !== 0) {
      this.#respond(request, { error: this.#pendingError });
      this.#pendingError = 0;
    } else if (request.command !== command.runUserCode) {
      const handler = this.#handlers.get(request.command);
      const reply = handler === undefined ? { error: stubError.invalidCommand } : await handler(request);
      this.#respond(request, reply);
      if (reply.after !== undefined) this.#pendingError = await reply.after();
    }
  }

  readonly #handlers: ReadonlyMap<number, (request: Request) => Reply | Promise<Reply>> = new Map<
    number,
    (request: Request) => Reply | Promise<Reply>
  >([
    [command.sync, (request) => this.#sync(request)],
    [
      command.readReg,
      ({ body }) => (body.length === 4 ? { value: this.#machine.space.read(word(body, 0)) } : badLength),
    ],
    [command.writeReg, (request) => this.#writeReg(request)],
    [command.memBegin, (request) => (this.#memory.begin(request) ? {} : badLength)],
    [command.memData, (request) => this.#memData(request)],
    [command.memEnd, (request) => this.#memEnd(request)],
    [command.spiAttach, ({ body }) => (body.length === 4 ? {} : badLength)],
    [command.spiSetParams, ({ body }) => (body.length === 24 ? {} : badLength)],
    [command.changeBaudrate, (request) => this.#changeBaudrate(request)],
    [command.flashBegin, (request) => this.#flashBegin(request, false)],
    [command.flashDeflBegin, (request) => this.#flashBegin(request, true)],
    [command.flashData, (request) => this.#flashData(request)],
    [command.flashDeflData, (request) => this.#flashDeflData(request)],
    [command.flashEnd, (request) => this.#flashEnd(request)],
    [command.flashDeflEnd, (request) => this.#flashEnd(request)],
    [command.spiFlashMd5, (request) => this.#md5(request)],
    [command.getSecurityInfo, (request) => this.#securityInfo(request)],
    [command.eraseFlash, () => this.#eraseFlash()],
    [command.eraseRegion, (request) => this.#eraseRegion(request)],
    [command.readFlash, (request) => this.#readFlash(request)],
  ]);

  #respond(request: Request, { error = 0, value = 0, data = nothing }: Reply): void {
    const body = error === 0 ? data : nothing;
    this.#machine.send(responsePacket(request.command, value, body, [error, 0]));
  }

  /** Eight answers as the ROM's, but their value is 0, which tells that it is the stub that speaks. */
  #sync(request: Request): Reply {
    if (request.body.length !== 36) return badLength;
    for (let i = 0; i < 7; i++) this.#respond(request, {});
    return {};
  }

  #writeReg({ body }: Request): Reply {
    if (body.length === 0 || body.length % 16 !== 0) return { error: stubError.notEnoughData };
    writeRegisters(this.#machine, body);
    return {};
  }

  #memData(request: Request): Reply {
    const result = this.#memory.data(request);
    if (result === "idle") return { error: stubError.notInFlashMode };
    return result === "size"
      ? { error: stubError.tooMuchData }
      : result === "checksum"
        ? { error: stubError.checksum }
        : {};
  }

  #memEnd({ body }: Request): Reply {
    if (body.length !== 8) return badLength;
    const [stay, entry] = [word(body, 0), word(body, 1)];
    if (!this.#memory.end()) return { error: stubError.notInFlashMode };
    return {
      after: () => {
        if (stay === 0) this.#machine.run(entry);
        return 0;
      },
    };
  }

  #changeBaudrate({ body }: Request): Reply {
    if (body.length !== 8) return badLength;
    const baud = word(body, 0);
    return {
      after: () => {
        this.#machine.setBaud(baud);
        return 0;
      },
    };
  }

  async #flashBegin({ body }: Request, deflated: boolean): Promise<Reply> {
    if (body.length !== 16 && body.length !== 20) return badLength;
    this.#flash = new FlashDownload(this.#machine.flash, body, deflated);
    await this.#flash.eraseNext();
    return {};
  }

  #flashData({ body, checksum }: Request): Reply {
    if (body.length < 16) return { error: stubError.notEnoughData };
    const download = this.#flash;
    if (download === undefined) return { error: stubError.notInFlashMode };
    const data = body.subarray(16);
    if (word(body, 0) !== data.length) return { error: stubError.tooMuchData };
    if (dataChecksum(data) !== checksum) return { error: stubError.checksum };
    const wanted = data.subarray(0, Math.min(data.length, download.remainingBytes));
    return { after: async () => ((await download.write(wanted)) ? 0 : stubError.spi) };
  }

  #flashDeflData({ body, checksum }: Request): Reply {
    if (body.length < 16) return badLength;
    const download = this.#flash;
    if (download?.inflate === undefined) return { error: stubError.notInFlashMode };
    const data = body.subarray(16, 16 + word(body, 0));
    if (dataChecksum(data) !== checksum) return { error: stubError.checksum };
    return { after: () => this.#inflate(download, data) };
  }

  async #inflate(download: FlashDownload, data: Uint8Array): Promise<number> {
    await download.eraseNext();
    const inflated = download.inflate!.push(data);
    if ("error" in inflated) return stubError.inflate;
    return (await download.writeBuffered(inflated.pieces, inflated.done)) ? 0 : stubError.spi;
  }

  /** All that was announced must have come. The flag to reboot does nothing in this release. */
  #flashEnd({ body }: Request): Reply {
    if (body.length !== 4) return badLength;
    if (this.#flash === undefined) return { error: stubError.notInFlashMode };
    if (this.#flash.remainingBytes !== 0) return badLength;
    this.#flash = undefined;
    return {};
  }

  #md5({ body }: Request): Reply {
    if (body.length !== 16) return badLength;
    const [offset, length] = [word(body, 0), word(body, 1)];
    if (!this.#machine.flash.holds(offset, length)) return { error: stubError.spi };
    return { data: this.#machine.md5(offset, length) };
  }

  #securityInfo({ body }: Request): Reply {
    if (!this.#machine.traits.securityInfo) return { error: stubError.notImplemented };
    return body.length === 0 ? { data: securityInfo(this.#machine) } : badLength;
  }

  async #eraseFlash(): Promise<Reply> {
    await this.#machine.flash.erase(0, this.#machine.flash.bytes.length);
    return {};
  }

  async #eraseRegion({ body }: Request): Promise<Reply> {
    if (body.length !== 8) return badLength;
    const [offset, length] = [word(body, 0), word(body, 1)];
    if (offset % sectorBytes !== 0 || length % sectorBytes !== 0) return badLength;
    if (!this.#machine.flash.holds(offset, length)) return { error: stubError.spi };
    await this.#machine.flash.erase(offset, length);
    return {};
  }

  /** Raw packets, each acknowledged with the number of bytes that came so far, one on its way at a time; then the MD5. */
  #readFlash({ body }: Request): Reply {
    if (body.length !== 16) return badLength;
    const [offset, length, packetBytes] = [word(body, 0), word(body, 1), word(body, 2)];
    return {
      after: async () => {
        if (packetBytes > sectorBytes || packetBytes === 0) return stubError.dataLength;
        if (!this.#machine.flash.holds(offset, length)) return stubError.spi;
        for (let sent = 0; sent < length; ) {
          const bytes = Math.min(packetBytes, length - sent);
          this.#machine.send(this.#machine.flash.bytes.slice(offset + sent, offset + sent + bytes));
          sent += bytes;
          const acknowledgement = await this.#machine.receive();
          if (acknowledgement === undefined) return 0;
          if (acknowledgement.length !== 4) break;
        }
        this.#machine.send(this.#machine.flash.md5(offset, length));
        return 0;
      },
    };
  }
}

/** `src/commands.h` of the stub: the first of the two status bytes. */
export const stubError = {
  dataLength: 0xc0,
  checksum: 0xc1,
  blockSize: 0xc2,
  invalidCommand: 0xc3,
  spi: 0xc4,
  notInFlashMode: 0xc6,
  inflate: 0xc7,
  notEnoughData: 0xc8,
  tooMuchData: 0xc9,
  notImplemented: 0xff,
} as const;

const badLength: Reply = { error: stubError.dataLength };
const nothing = new Uint8Array(0);
