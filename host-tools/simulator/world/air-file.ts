/**
 * Which Wi-Fi networks are around the boards of a simulation, from a file that may be changed while it runs: to see what a swarm does when its house moves.
 *
 * ```json
 * {
 *   "wifi": { "ssid": "old", "password": "old secret" },
 *   "accessPoints": [
 *     { "ssid": "old", "password": "old secret" },
 *     { "ssid": "new", "password": "new secret", "reaches": ["127.0.0.1:7999"] }
 *   ]
 * }
 * ```
 *
 * `wifi` is what the boards were provisioned with. From an access point one comes to what it `reaches`, or anywhere where it does not say.
 */
import { readFileSync, watchFile } from "node:fs";
import type { WifiCredentials } from "../../../protocols/provisioning/contact.ts";
import { checkedWifi, WifiError } from "../../provisioner/wifi.ts";
import { SimulationError } from "../simulation-error.ts";
import { type SimulatedAccessPoint, WifiAir } from "./wifi-air.ts";

/** What surrounds the boards of a simulation. */
export interface SimulatedHouse {
  readonly air: WifiAir;
  /** With which boards are provisioned. */
  readonly wifi: WifiCredentials;
}

const lookEveryMs = 300;
const usual = { rssi: -50, joinMs: 300 };

export class AirFile implements SimulatedHouse {
  readonly air: WifiAir;
  readonly wifi: WifiCredentials;

  /** @param onProblem hears of a change that cannot be used; the air stays as it was @throws {SimulationError} */
  constructor(path: string, onProblem: (text: string) => void) {
    const { wifi, accessPoints } = read(path);
    this.wifi = wifi;
    this.air = new WifiAir(accessPoints);
    watchFile(path, { interval: lookEveryMs, persistent: false }, () => {
      try {
        this.air.replace(read(path).accessPoints);
      } catch (error) {
        if (!(error instanceof SimulationError)) throw error;
        onProblem(error.message);
      }
    });
  }
}

function read(path: string): { wifi: WifiCredentials; accessPoints: SimulatedAccessPoint[] } {
  let value: { wifi?: unknown; accessPoints?: unknown };
  try {
    value = JSON.parse(readFileSync(path, "utf8")) as typeof value;
  } catch (error) {
    throw new SimulationError(`${path} cannot be read as JSON: ${(error as Error).message}.`);
  }
  try {
    const wifi = checkedWifi(value.wifi, `${path}, "wifi"`);
    if (!Array.isArray(value.accessPoints))
      throw new SimulationError(`${path}: "accessPoints" must be a list of networks.`);
    return { wifi, accessPoints: value.accessPoints.map((each) => accessPoint(path, each)) };
  } catch (error) {
    throw error instanceof WifiError ? new SimulationError(error.message) : error;
  }
}

function accessPoint(path: string, value: { reaches?: unknown }): SimulatedAccessPoint {
  const { reaches } = value;
  const isList = Array.isArray(reaches) && reaches.every((each) => typeof each === "string");
  if (reaches !== undefined && !isList)
    throw new SimulationError(`${path}: "reaches" must be a list such as ["127.0.0.1:7883"].`);
  return {
    ...usual,
    ...checkedWifi(value, `${path}, an access point`),
    reaches: reaches as string[] | undefined,
  };
}
