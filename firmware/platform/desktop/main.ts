/** Starts the board inside XS on a desktop, and hands it its turns. The first turn runs this file's top level. */
import { Board } from "../../core.ts";
import type { Host } from "./host.ts";
import { DesktopPorts } from "./ports.ts";

declare const host: Host;

const ports = new DesktopPorts(host);
let board: Board | undefined;

host.turn = (payload) => {
  if (board === undefined) {
    board = new Board(ports);
    board.start();
  }
  if (payload !== undefined) ports.network.onArrival(payload);
  ports.clock.timers.runDue(ports.clock.nowMs());
  return ports.clock.timers.nextMs;
};
