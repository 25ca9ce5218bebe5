/** Requests and responses as ROM and stub have them: Espressif, "Serial Protocol", "Packet Description". */

export interface Request {
  readonly direction: number;
  readonly command: number;
  /** Length of the body as the header says; a loader compares. */
  readonly statedBytes: number;
  readonly checksum: number;
  readonly body: Uint8Array;
}

export function readRequest(packet: Uint8Array): Request | undefined {
  if (packet.length < headerBytes) return undefined;
  const view = viewOf(packet);
  return {
    direction: packet[0]!,
    command: packet[1]!,
    statedBytes: view.getUint16(2, true),
    checksum: view.getUint32(4, true),
    body: packet.subarray(headerBytes),
  };
}

/** @param status the bytes at the end: two from the stub, four from the ROM */
export function responsePacket(
  command: number,
  value: number,
  data: Uint8Array,
  status: readonly number[],
): Uint8Array {
  const packet = new Uint8Array(headerBytes + data.length + status.length);
  const view = viewOf(packet);
  packet[0] = 1;
  packet[1] = command;
  view.setUint16(2, data.length + status.length, true);
  view.setUint32(4, value >>> 0, true);
  packet.set(data, headerBytes);
  packet.set(status, headerBytes + data.length);
  return packet;
}

/** The n-th 32-bit word of a body. */
export function word(body: Uint8Array, index: number): number {
  return viewOf(body).getUint32(index * 4, true);
}

/** 0xEF, each byte xored in. */
export function dataChecksum(data: Uint8Array): number {
  let sum = 0xef;
  for (const byte of data) sum ^= byte;
  return sum;
}

export const command = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeReg: 0x09,
  readReg: 0x0a,
  spiSetParams: 0x0b,
  spiAttach: 0x0d,
  readFlashSlow: 0x0e,
  changeBaudrate: 0x0f,
  flashDeflBegin: 0x10,
  flashDeflData: 0x11,
  flashDeflEnd: 0x12,
  spiFlashMd5: 0x13,
  getSecurityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
  readFlash: 0xd2,
  runUserCode: 0xd3,
} as const;

const names: ReadonlyMap<number, string> = new Map([
  [command.flashBegin, "FLASH_BEGIN"],
  [command.flashData, "FLASH_DATA"],
  [command.flashEnd, "FLASH_END"],
  [command.memBegin, "MEM_BEGIN"],
  [command.memEnd, "MEM_END"],
  [command.memData, "MEM_DATA"],
  [command.sync, "SYNC"],
  [command.writeReg, "WRITE_REG"],
  [command.readReg, "READ_REG"],
  [command.spiSetParams, "SPI_SET_PARAMS"],
  [command.spiAttach, "SPI_ATTACH"],
  [command.readFlashSlow, "READ_FLASH_SLOW"],
  [command.changeBaudrate, "CHANGE_BAUDRATE"],
  [command.flashDeflBegin, "FLASH_DEFL_BEGIN"],
  [command.flashDeflData, "FLASH_DEFL_DATA"],
  [command.flashDeflEnd, "FLASH_DEFL_END"],
  [command.spiFlashMd5, "SPI_FLASH_MD5"],
  [command.getSecurityInfo, "GET_SECURITY_INFO"],
  [command.eraseFlash, "ERASE_FLASH"],
  [command.eraseRegion, "ERASE_REGION"],
  [command.readFlash, "READ_FLASH"],
  [command.runUserCode, "RUN_USER_CODE"],
]);

/** As Espressif writes it. */
export function commandName(code: number): string {
  return names.get(code) ?? `0x${code.toString(16).padStart(2, "0")}`;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const headerBytes = 8;
