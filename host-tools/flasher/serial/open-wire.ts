import { problem } from "../problems.ts";
import type { Wire, WireListener } from "./wire.ts";

/**
 * Opens a port by its name: a device, `rfc2217://host:port` or `socket://host:port`. A board at it is not reset by that.
 *
 * @param baud in bit/s
 * @throws {FlashProblem} no-port, no-permission, port-busy
 */
export async function openWire(name: string, baud: number, listener: WireListener): Promise<Wire> {
  if (name.includes("://")) {
    const url = URL.canParse(name) ? new URL(name) : undefined;
    const known = url?.protocol === "rfc2217:" || url?.protocol === "socket:";
    if (url === undefined || !known || url.port === "") throw problem.noPort(name);
    const { openTcp } = await import("./tcp-wire.ts");
    return openTcp(url, baud, listener);
  }
  const { openDevice } = await import("./device-wire.ts");
  return openDevice(name, baud, listener);
}
