/**
 * Starts the board on the Moddable SDK.
 *
 * Like the core, main is preloaded, so it acts only in the function that the SDK calls when the machine has booted.
 */
import { bootBoard } from "../../core.ts";
import { stackPeakSlots } from "./chip.ts";
import { ModdablePorts } from "./ports.ts";
import { ProvisioningError } from "./provisioned.ts";

export default function start(): void {
  // From here on it is measured.
  stackPeakSlots();
  try {
    bootBoard(new ModdablePorts());
  } catch (error) {
    trace(`error: ${error}\n`);
    // A board that was built wrong waits for whoever looks at its console; any other error restarts it.
    if (!(error instanceof ProvisioningError)) throw error;
  }
}
