import type { WifiCredentials } from "../../protocols/provisioning/contact.ts";

/** Who decides in which Wi-Fi the board is. */
export interface WifiSwitch {
  /**
   * Tries this Wi-Fi. `onOutcome` is told once, in a later turn of the board's: true when the board is in it, and stays; false when it could not, and is back
   * where it was. False is given, and nothing is tried, while another attempt is under way.
   */
  tryWifi(wifi: WifiCredentials, onOutcome: (isJoined: boolean) => void): boolean;
}
