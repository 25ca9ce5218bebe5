/** Starts the board inside XS on a desktop, and hands it its turns. The first turn runs this file's top level. */
import type { Host } from "./host.ts";
import { bootBoard, DesktopPorts } from "./linked.ts";

declare const host: Host;

const ports = new DesktopPorts(host);
let isBooted: boolean | undefined;

host.turn = (payload) => {
  if (!isBooted) bootBoard(ports);
  isBooted = true;
  if (payload !== undefined) ports.network.onArrival(payload);
  ports.clock.timers.runDue(ports.clock.nowMs());
  return ports.clock.timers.nextMs;
};
