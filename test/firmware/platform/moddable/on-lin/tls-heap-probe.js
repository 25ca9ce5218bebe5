// A program over the adapter, in the place of the board's main: one TLS connection after the other, and what each does to the heap.
import Time from "time";
import Timer from "timer";
import { stackPeakSlots } from "../../../../../firmware/platform/moddable/chip.ts";
import { ModdablePorts } from "../../../../../firmware/platform/moddable/ports.ts";
import { collectAlways, HeapFigures } from "./heap-figures.js";

/** What is sent and comes back, as large as a publish. */
const messageBytes = 128;
const messages = 20;
/** The next is begun when the last has been cleared away. */
const quietMs = 300;

export default function start() {
  stackPeakSlots();
  const ports = new ModdablePorts();
  const given = JSON.parse(givenText);
  trace(`collects always: ${collectAlways(false)}\n`);
  ports.network.start((up) => {
    if (up) Timer.set(() => measure(ports, new HeapFigures(), given.connections), quietMs);
  });
}

function measure(ports, heap, [next, ...later]) {
  if (next === undefined) {
    trace("all done\n");
    return;
  }
  const { name, port, authorityHex, always } = next;
  const authority = authorityHex && bytesOf(authorityHex);
  const told = (what, collect, more) => heap.tell(`${name}: ${what}`, collect, more);
  const message = new Uint8Array(messageBytes);
  let [left, startedMs, gotBytes] = [messages, 0, 0];
  const events = {
    onOpen() {
      collectAlways(false);
      told("handshake", false, { ms: Time.ticks - startedMs, stackSlots: stackPeakSlots() });
      Timer.set(() => {
        told("open", true);
        collectAlways(always);
        startedMs = Time.ticks;
        connection.write(message);
      }, quietMs);
    },
    onData(bytes) {
      gotBytes += bytes.length;
      if (gotBytes % messageBytes !== 0) return;
      left -= 1;
      if (left > 0) {
        connection.write(message);
        return;
      }
      collectAlways(false);
      told("traffic", false, { ms: Time.ticks - startedMs, stackSlots: stackPeakSlots() });
      Timer.set(() => {
        told("after traffic", true);
        connection.close();
        finish();
      }, quietMs);
    },
    onClose(reason) {
      collectAlways(false);
      trace(`failed ${name}: ${reason}\n`);
      finish();
    },
  };
  const finish = () =>
    Timer.set(() => {
      told("closed", true);
      measure(ports, heap, later);
    }, quietMs);
  told("before", true);
  collectAlways(always);
  startedMs = Time.ticks;
  const connection =
    authority === undefined
      ? ports.network.connect("127.0.0.1", port, events)
      : ports.network.connectSecurely("127.0.0.1", port, { authority }, events);
}

function bytesOf(hex) {
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}
