/**
 * The main of a board under soak: the desktop's own, and one turn more: a message of a single byte collects garbage and
 * tells how many timers are set. It can leak on purpose, so that a test can see the soak find it.
 */
import { bootBoard } from "../../../firmware/core.ts";
import type { Host } from "../../../firmware/platform/desktop/host.ts";
import { DesktopPorts } from "../../../firmware/platform/desktop/ports.ts";
import type { PlantedLeak } from "./probe-firmware.ts";

declare const host: Host;
/** Put in by the bundler. */
declare const PLANTED_LEAK: PlantedLeak;

const ports = new DesktopPorts(host);
const kept: ArrayBuffer[] = [];
let messages = 0;
let isBooted: boolean | undefined;

host.turn = (payload) => {
  if (payload?.byteLength === 1) {
    host.call(new Uint8Array([ports.clock.timers.length]));
    host.collect();
    return ports.clock.timers.nextMs;
  }
  if (!isBooted) bootBoard(ports);
  isBooted = true;
  if (payload !== undefined) {
    messages++;
    if (PLANTED_LEAK === "messages") kept.push(payload.slice(0));
    if (PLANTED_LEAK === "timers" && messages % 32 === 0) ports.clock.setTimer(1e12, () => {});
    ports.network.onArrival(payload);
  }
  ports.clock.timers.runDue(ports.clock.nowMs());
  return ports.clock.timers.nextMs;
};
