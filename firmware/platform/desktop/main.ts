/** Starts the board inside XS on a desktop, and hands it its turns. */
import { Board } from "../../core.ts";
import type { Host } from "./host.ts";
import { DesktopPorts } from "./ports.ts";

declare const host: Host;

const ports = new DesktopPorts(host);
const board = new Board(ports);
let isStarted = false;

host.turn = (payload) => {
  if (!isStarted) {
    isStarted = true;
    board.start();
  }
  if (payload !== undefined) ports.network.onArrival(payload);
  ports.clock.timers.runDue(ports.clock.nowMs());
  return ports.clock.timers.nextMs;
};
