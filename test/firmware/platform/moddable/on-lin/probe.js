// A program over the adapter, in the place of the board's main: what adapter.ts awaits, it says line by line. JavaScript,
// because it imports modules of the SDK under names that are Node's here.
import { Keeper } from "../../../../../firmware/keeping/keeper.ts";
import { ModdablePorts } from "../../../../../firmware/platform/moddable/ports.ts";

export default function start() {
  const given = JSON.parse(givenText);
  const ports = new ModdablePorts();
  const starts = (ports.keyValue.read("starts")?.[0] ?? 0) + 1;
  ports.keyValue.write("starts", Uint8Array.of(starts));
  say(`kv: start ${starts}`);
  keepBlock(ports, starts);
  fillSlot(ports.update);
  ports.network.start((up) => {
    if (!up) return;
    hearOthers(ports, given.lanPort);
    exchangeDatagram(ports, given);
  });
}

/** One a start; what is there then is from flash. */
function keepBlock(ports, number) {
  const keeper = new Keeper(ports.keeping, { memberId: "probe.1a2b3c4d", drawName: () => 77 });
  const block = {
    series: "hall/temperature",
    number,
    firstMs: 1.79e12,
    lastMs: 1.79e12 + 59_000,
    bytes: new Uint8Array(200),
  };
  const { sectors } = keeper.answer({ kind: "put", id: 1, blocks: [block] });
  const { blocks } = keeper.answer({ kind: "read", id: 2, cursor: 0, series: block.series, from: 1, to: 99 });
  say(
    `keeping: in sector ${sectors[0]} of ${keeper.state.sectors}, blocks ${blocks.map((each) => each.number).join(" ")}`,
  );
}

/** A port of one's own, in a group, which lin knows nothing of. */
function hearOthers(ports, port) {
  ports.network.openUdp(
    port,
    { onData: (bytes, address) => say(`lan: ${textOf(bytes)} from ${address}`) },
    "239.255.83.80",
  );
  say("lan: open");
}

/** As an update does it. */
function fillSlot(slot) {
  const { region } = slot;
  say(`slot: ${region.sizeBytes} bytes, on trial ${slot.isOnTrial}, running ${slot.running.length} bytes`);
  region.eraseSector(0);
  try {
    slot.select();
  } catch (error) {
    say(`slot: ${error}`);
  }
  region.write(0, new Uint8Array(16).fill(0xe9));
  slot.select();
  say(`slot: selected ${region.read(15, 2).byteLength}`);
}

function exchangeDatagram(ports, given) {
  const socket = ports.network.openUdp(0, {
    onData(bytes, address) {
      say(`udp: ${textOf(bytes)} from ${address}`);
      socket.close();
      connectSecurely(ports, Uint8Array.from(given.authorityDer), Object.entries(given.tlsPorts));
    },
  });
  socket.send("127.0.0.1", given.udpPort, bytesOf("ping"));
}

/** One connection after the other, each to its end. */
function connectSecurely(ports, authority, [next, ...later]) {
  if (next === undefined) {
    say("all done");
    return;
  }
  const [name, port] = next;
  const tell = (what) => say(`tls ${name}: ${what}`);
  const connection = ports.network.connectSecurely(
    "127.0.0.1",
    port,
    { authority },
    {
      onOpen() {
        tell("open");
        connection.write(bytesOf("hello"));
      },
      onData: (bytes) => tell(`data ${textOf(bytes)}`),
      onClose(reason) {
        tell(`close: ${reason}`);
        connectSecurely(ports, authority, later);
      },
    },
  );
}

function say(text) {
  trace(`${text}\n`);
}

function bytesOf(text) {
  return new Uint8Array(ArrayBuffer.fromString(text));
}

function textOf(bytes) {
  return String.fromArrayBuffer(bytes.slice().buffer);
}
