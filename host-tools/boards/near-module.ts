/** What the firmware is told of the parts of a board that somebody near it has to do with, as a module of its image. */
import type { BoardDescription } from "./boards.ts";

/** There in every image, so that one bundle serves those with and without Bluetooth. */
export const nearModuleName = "board-near";

/** The SDK's module of the radio as a GATT server. */
export const peripheralModule = "embedded:io/bluetoothle/peripheral";

/** Without button and light, which a computer has not. */
export const nearNothing = moduleOf(undefined, undefined, false);

/** A light of the kind WS2812 needs a driver of the SDK's that is under the GPL, and is left alone. */
export function nearModule({ pins }: BoardDescription, bluetooth: boolean): string {
  const [button] = pins.buttons;
  const light = pins.led?.kind === "plain" ? { pin: pins.led.pin } : undefined;
  return moduleOf(button && { pin: button.pin, pressed: button.pressed }, light, bluetooth);
}

function moduleOf(button: object | undefined, light: object | undefined, bluetooth: boolean): string {
  const frozen = (value: object | undefined) => {
    return value === undefined ? "undefined" : `Object.freeze(${JSON.stringify(value)})`;
  };
  const parts = `button: ${frozen(button)}, light: ${frozen(light)}, GATTServer`;
  const GATTServer = bluetooth
    ? `import { GATTServer } from ${JSON.stringify(peripheralModule)};`
    : "const GATTServer = undefined;";
  return `${GATTServer}\nexport default Object.freeze({ ${parts} });\n`;
}
