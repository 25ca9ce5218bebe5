/**
 * Why a chip started, in words: the ROM's first line.
 *
 *     rst:0xc (RTC_SW_CPU_RST),boot:0x8 (SPI_FAST_FLASH_BOOT)
 *
 * The names are those of the six ROMs (ESP-IDF, components/esp_rom/<chip>/include/esp32xx/rom/rtc.h).
 */
export type ResetKind = "power" | "brown-out" | "watchdog" | "sleep" | "software" | "pin" | "usb" | "other";

export interface Reset {
  readonly code: number;
  /** As the ROM calls it. */
  readonly name: string;
  readonly kind: ResetKind;
  readonly words: string;
  /** It went into its loader, and waits there. */
  readonly toLoader: boolean;
}

/** Undefined when the line is not that one. */
export function readReset(line: string): Reset | undefined {
  const found = /rst:0x([0-9a-f]{1,2}) \((\w{1,40})\),boot:0x[0-9a-f]{1,8} \((.{0,60})\)/i.exec(line);
  if (found === null) return undefined;
  const [, code, name, boot] = found;
  const { kind, words } = meanings.find(({ names }) => names.test(name!)) ?? other;
  return {
    code: Number.parseInt(code!, 16),
    name: name!,
    kind,
    words,
    toLoader: boot!.startsWith("DOWNLOAD"),
  };
}

interface Meaning {
  readonly names: RegExp;
  readonly kind: ResetKind;
  readonly words: string;
}

const other = { kind: "other", words: "for a reason of its own" } as const;

/** The first that fits. */
const meanings: readonly Meaning[] = [
  { names: /BROWN/, kind: "brown-out", words: "because its supply gave way (brown-out)" },
  { names: /SUPER_?WDT|SWDT/, kind: "watchdog", words: "by its super watchdog: the chip hung" },
  {
    names: /RTC_?WDT|RWDT|LP_?WDT|OWDT/,
    kind: "watchdog",
    words: "by its RTC watchdog: it hung, or did not come up",
  },
  { names: /TG\d?_?WDT|MWDT|WDT/, kind: "watchdog", words: "by a watchdog: the program hung" },
  { names: /GLITCH/, kind: "brown-out", words: "because of a spike on its supply" },
  { names: /POWER_?ON|CHIP_POWER/, kind: "power", words: "because it got power, or its RESET was pressed" },
  { names: /D(EEP)?_?SLEEP/, kind: "sleep", words: "because it woke from deep sleep" },
  { names: /USB/, kind: "usb", words: "because the computer reset it over USB" },
  { names: /SW_|_SW/, kind: "software", words: "because its program restarted it" },
  { names: /EXT_CPU/, kind: "software", words: "because its other core restarted it" },
  { names: /EXT|PIN/, kind: "pin", words: "because its RESET was pressed" },
  { names: /LOCKUP/, kind: "other", words: "because its processor locked up" },
];
