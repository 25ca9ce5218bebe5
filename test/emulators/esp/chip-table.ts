/**
 * What differs between the chips, as far as a serial loader can see it. It shares nothing with the program's own
 * table of chips, so that a mistake there is found here.
 *
 * Register addresses: the chips' technical reference manuals ("eFuse Controller", "SPI Controller", "Low-Power
 * Management"); the ROM's first lines are what boards print at reset.
 */

export type ChipName = "esp32" | "esp32s3" | "esp32c3";

export interface ChipTraits {
  /** As Espressif writes it. */
  readonly label: string;
  /** In image headers and in GET_SECURITY_INFO. */
  readonly chipId: number;
  /** At `magicRegister`; what tells an ESP32, which has no GET_SECURITY_INFO. */
  readonly magic: number;
  readonly securityInfo: boolean;
  readonly secureDownload: boolean;
  /** Has the USB-Serial/JTAG peripheral. */
  readonly usbSerialJtag: boolean;
  readonly bootloaderOffset: number;
  /** Of a chip that one buys today: major * 100 + minor. */
  readonly revision: number;
  readonly spi: SpiRegisters;
  /** Where the RTC watchdog is, that a loader without control lines resets the chip by. */
  readonly watchdog: { readonly config0: number; readonly config1: number; readonly protect: number };
  /** The ROM's variable that says which port it serves: 0 is UART 0. */
  readonly uartBuffer?: { readonly address: number; readonly usbSerialJtag: number };
  readonly banner: string;
  /** Strapping values as the ROM prints them. */
  readonly boot: { readonly download: string; readonly flash: string };
  /** Reset causes as the ROM prints them. */
  readonly causes: Readonly<Record<ResetCause, string>>;
  /** What the ROM says of a flash without a bootloader. */
  readonly noImage: string;
  efuseWords(facts: EfuseFacts): Map<number, number>;
}

export type ResetCause = "power-on" | "pin" | "brown-out" | "watchdog" | "software";

export interface SpiRegisters {
  readonly base: number;
  readonly usr: number;
  readonly usr1: number;
  readonly usr2: number;
  readonly w0: number;
}

export interface EfuseFacts {
  /** Six bytes, first byte first. */
  readonly mac: Uint8Array;
  readonly revision: number;
  readonly secureBoot: boolean;
  readonly flashEncryption: boolean;
}

export const magicRegister = 0x40001000;

export const chipTable: Readonly<Record<ChipName, ChipTraits>> = {
  esp32: {
    label: "ESP32",
    chipId: 0,
    magic: 0x00f01d83,
    securityInfo: false,
    secureDownload: false,
    usbSerialJtag: false,
    bootloaderOffset: 0x1000,
    revision: 300,
    spi: { base: 0x3ff42000, usr: 0x1c, usr1: 0x20, usr2: 0x24, w0: 0x80 },
    watchdog: { config0: 0x3ff4808c, config1: 0x3ff48090, protect: 0x3ff480a4 },
    banner: "ets Jul 29 2019 12:21:46\r\n\r\n",
    boot: {
      download: "0x3 (DOWNLOAD_BOOT(UART0/UART1/SDIO_REI_REO_V2))",
      flash: "0x13 (SPI_FAST_FLASH_BOOT)",
    },
    causes: {
      "power-on": "0x1 (POWERON_RESET)",
      pin: "0x1 (POWERON_RESET)",
      "brown-out": "0xf (RTCWDT_BROWN_OUT_RESET)",
      watchdog: "0x10 (RTCWDT_RTC_RESET)",
      software: "0xc (SW_CPU_RESET)",
    },
    noImage: "invalid header: 0xffffffff\r\n".repeat(3),
    efuseWords: esp32Efuses,
  },
  esp32s3: {
    label: "ESP32-S3",
    chipId: 9,
    magic: 0x09,
    securityInfo: true,
    secureDownload: true,
    usbSerialJtag: true,
    bootloaderOffset: 0,
    revision: 2,
    spi: { base: 0x60002000, usr: 0x18, usr1: 0x1c, usr2: 0x20, w0: 0x58 },
    watchdog: { config0: 0x60008098, config1: 0x6000809c, protect: 0x600080b0 },
    uartBuffer: { address: 0x3fcef14c, usbSerialJtag: 4 },
    banner: "ESP-ROM:esp32s3-20210327\r\nBuild:Mar 27 2021\r\n",
    boot: { download: "0x0 (DOWNLOAD(USB/UART0))", flash: "0x8 (SPI_FAST_FLASH_BOOT)" },
    causes: {
      "power-on": "0x1 (POWERON)",
      pin: "0x1 (POWERON)",
      "brown-out": "0xf (BROWNOUT_RST)",
      watchdog: "0x10 (RTCWDT_RTC_RST)",
      software: "0xc (RTC_SW_CPU_RST)",
    },
    noImage: "invalid header: 0xffffffff\r\n".repeat(3),
    efuseWords: (facts) => block1Efuses(0x60007000, facts),
  },
  esp32c3: {
    label: "ESP32-C3",
    chipId: 5,
    magic: 0x1b31506f,
    securityInfo: true,
    secureDownload: true,
    usbSerialJtag: true,
    bootloaderOffset: 0,
    revision: 4,
    spi: { base: 0x60002000, usr: 0x18, usr1: 0x1c, usr2: 0x20, w0: 0x58 },
    watchdog: { config0: 0x60008090, config1: 0x60008094, protect: 0x600080a8 },
    uartBuffer: { address: 0x3fcdf060, usbSerialJtag: 3 },
    banner: "ESP-ROM:esp32c3-api1-20210207\r\nBuild:Feb  7 2021\r\n",
    boot: { download: "0x7 (DOWNLOAD(USB/UART0/1))", flash: "0xf (SPI_FAST_FLASH_BOOT)" },
    causes: {
      "power-on": "0x1 (POWERON)",
      pin: "0x1 (POWERON)",
      "brown-out": "0xf (BROWNOUT_RST)",
      watchdog: "0x10 (RTCWDT_RTC_RST)",
      software: "0xc (RTC_SW_CPU_RST)",
    },
    noImage: "invalid header: 0xffffffff\r\n".repeat(3),
    efuseWords: (facts) => block1Efuses(0x60008800, facts),
  },
};

/** Block 0 of an ESP32: MAC in words 1 and 2, package and revision in 3 and 5, secure boot in 6. */
function esp32Efuses({ mac, revision, secureBoot, flashEncryption }: EfuseFacts): Map<number, number> {
  const block0 = 0x3ff5a000;
  const major = Math.floor(revision / 100);
  const word = macWords(mac);
  return new Map([
    [block0, flashEncryption ? 1 << 20 : 0],
    [block0 + 0x04, word.low],
    [block0 + 0x08, word.high],
    [block0 + 0x0c, (major >= 1 ? 1 << 15 : 0) | (1 << 9)],
    [block0 + 0x14, (major >= 2 ? 1 << 20 : 0) | ((revision % 100) << 24)],
    [block0 + 0x18, secureBoot ? 1 << 5 : 0],
    [0x3ff6607c, major >= 3 ? 0x96042000 : 0x16042000],
    // 40 MHz at 115,200 bit/s: how loaders tell the crystal.
    [0x3ff40014, Math.round(40_000_000 / 115_200)],
  ]);
}

/** Blocks 0 and 1 of the chips after the ESP32. */
function block1Efuses(base: number, facts: EfuseFacts): Map<number, number> {
  const word = macWords(facts.mac);
  const minor = facts.revision % 100;
  const major = Math.floor(facts.revision / 100);
  return new Map([
    [base + 0x34, facts.flashEncryption ? 1 << 18 : 0],
    [base + 0x38, facts.secureBoot ? 1 << 20 : 0],
    [base + 0x44, word.low],
    [base + 0x48, word.high],
    [base + 0x50, (minor & 7) << 18],
    [base + 0x58, ((minor >> 3) << 23) | (major << 24)],
  ]);
}

function macWords(mac: Uint8Array): { low: number; high: number } {
  const view = Buffer.from(mac);
  return { low: view.readUInt32BE(2), high: view.readUInt16BE(0) };
}
