// The whole board, as its own main starts it, telling every two seconds what its heap held and peaked at; from its first start on.
import { bootBoard } from "core";
import Timer from "timer";
import { stackPeakSlots } from "../../../../../firmware/platform/moddable/chip.ts";
import { ModdablePorts } from "../../../../../firmware/platform/moddable/ports.ts";
import { HeapFigures } from "./heap-figures.js";

const everyMs = 2_000;

export default function start() {
  stackPeakSlots();
  const heap = new HeapFigures();
  bootBoard(new ModdablePorts());
  heap.tell("booted", true);
  Timer.repeat(() => heap.tell("worked", true, { stackSlots: stackPeakSlots() }), everyMs);
}
