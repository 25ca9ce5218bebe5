// What speaks to other boards, over the adapter, in the place of the board's main: it answers each message with the same. lin knows no groups, and here all are on one
// computer: an address has its port in it, and what goes to all goes to each that the test names.
import { BoardLog } from "../../../../../firmware/board/board-log.ts";
import { Trust } from "../../../../../firmware/board/trust.ts";
import { Lan } from "../../../../../firmware/lan/lan.ts";
import { ModdablePorts } from "../../../../../firmware/platform/moddable/ports.ts";
import { lanGroup } from "../../../../../protocols/lan/datagrams.ts";

export default function start() {
  const given = JSON.parse(givenText);
  const ports = new ModdablePorts();
  const { clock, random, ciphers, system } = ports;
  const { swarm } = system.config;
  const log = new BoardLog(system);
  const trust = new Trust(ciphers, system.config, "all", log);
  const network = { openUdp: (_, events, group) => openAmong(ports.network, given, events, group) };
  const run = () => {
    if (clock.nowMs() >= lan.dueMs) lan.run(clock.nowMs());
  };
  const turns = {
    begin: () => true,
    fail: (error) => trace(`failed: ${error}\n`),
    end: run,
  };
  const events = {
    onLanMessage(from, bytes) {
      trace(`lan: ${String.fromArrayBuffer(bytes.slice().buffer)} from ${from}\n`);
      lan.send(from, bytes);
    },
  };
  const lan = new Lan({ clock, random, network, trust, log, turns, swarm }, events);
  lan.setPeers(given.names);
  lan.keepAlive(true);
  ports.network.start((up) => {
    lan.onNetworkChange(up);
    run();
  });
  const tick = () => {
    run();
    clock.setTimer(20, tick);
  };
  tick();
}

function openAmong(network, { own, others }, events, group) {
  const heard = { onData: (bytes, address, port) => events.onData(bytes, `${address}:${port}`, port) };
  const socket = network.openUdp(own, heard, group);
  return {
    send(to, _, bytes) {
      const ports = to === lanGroup ? others : [Number(to.slice(to.indexOf(":") + 1))];
      for (const port of ports) socket.send("127.0.0.1", port, bytes);
    },
    close: () => socket.close(),
  };
}
