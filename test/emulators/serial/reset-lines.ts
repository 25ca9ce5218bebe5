/**
 * How DTR and RTS reach a chip.
 *
 * A board with a USB-UART bridge has two transistors: EN is low while RTS alone is on, IO0 is low while DTR alone
 * is on. EN has a capacitor, so it rises some milliseconds after its transistor opens, and IO0 is sampled then.
 * The USB-Serial/JTAG peripheral looks at changes: DTR alone sets "download next", RTS alone resets, both off
 * clears (ESP32-C3 Technical Reference Manual, "USB Serial/JTAG Controller").
 */
export interface ResetPins {
  /** The chip is held in reset. */
  hold(): void;
  /** The chip starts; `download` says what IO0, or the flag, asks for. */
  start(download: boolean): void;
}

export interface ResetLines {
  set(dtr: boolean, rts: boolean): void;
  /** The port was closed: both lines fall without a word. */
  release(): void;
}

/**
 * @param wiring which of the two wires is there, asked at each change
 * @param riseMs from EN let go to the chip's start; IO0 low at any time in between counts, and what waits in the
 *   socket then still does, so that a busy machine's pauses don't decide how a chip starts
 */
export function transistorReset(
  pins: ResetPins,
  wiring: () => "both" | "enable-only" | "none",
  riseMs = 15,
): ResetLines {
  let enable = true;
  let bootLow = false;
  let wasLow = false;
  let rising: NodeJS.Timeout | undefined;
  const rise = () => {
    clearTimeout(rising);
    wasLow = bootLow;
    const letGo = setTimeout(() => {
      setImmediate(() => {
        if (rising === letGo && enable) pins.start(wasLow);
      });
    }, riseMs);
    rising = letGo;
  };
  return {
    set(dtr, rts) {
      if (wiring() === "none") return;
      bootLow = dtr && !rts && wiring() === "both";
      wasLow ||= bootLow;
      const now = !(rts && !dtr);
      if (enable && !now) pins.hold();
      if (!enable && now) rise();
      enable = now;
    },
    release() {
      bootLow = false;
      if (!enable) rise();
      enable = true;
    },
  };
}

/** @param wiring whether the port's lines are heard at all; "enable-only" leaves the flag out */
export function usbSerialJtagReset(
  pins: ResetPins,
  wiring: () => "both" | "enable-only" | "none",
): ResetLines {
  let download = false;
  let resetting = false;
  return {
    set(dtr, rts) {
      if (wiring() === "none") return;
      if (!rts) download = dtr;
      const now = rts && !dtr;
      if (now && !resetting) {
        pins.hold();
        pins.start(download && wiring() === "both");
      }
      resetting = now;
    },
    release() {
      download = false;
      resetting = false;
    },
  };
}
