/** What boards say to boards, by itself, and as a whole board of a group takes it: strangers, and whoever repeats what members said. */
import {
  decodeAnnouncement,
  decodeFirst,
  encodeAnnouncement,
  kindOf,
  tagOf,
} from "../../../protocols/lan/datagrams.ts";
import { swarm, VirtualLan } from "../../firmware/lan/virtual-lan.ts";
import { Random } from "../../simulation/raft/random.ts";
import type { Target } from "../target.ts";

const datagrams = "protocols/lan/datagrams.ts";
const names = ["east", "north", "west"];

/** A group that has its sessions, and all that was said for them. */
function group() {
  const world = new VirtualLan(new Random(7).next);
  const boards = world.group(names);
  world.run(5_000);
  return { world, boards };
}

const said = group().world.sent.map(({ bytes }) => bytes);
const firsts = said.filter((bytes) => decodeFirst(bytes) !== undefined);
const announcements = [true, false].map((isAsking) => encodeAnnouncement({ isAsking, swarm, name: "west" }));
const fuzzed = group();
const [east] = fuzzed.boards;

export const lanTargets: readonly Target[] = [
  {
    name: "where a board is",
    covers: [`${datagrams} decodeAnnouncement`],
    seeds: announcements,
    errors: [],
    decode: decodeAnnouncement,
  },
  {
    name: "the first message between boards",
    covers: [`${datagrams} decodeFirst`],
    seeds: firsts,
    errors: [],
    decode: decodeFirst,
  },
  {
    name: "a datagram to a board",
    covers: [],
    seeds: [...announcements, ...said.slice(0, 40)],
    errors: [],
    decode(bytes) {
      const { lan } = east!;
      fuzzed.world.nowMs += 1;
      lan.onData(bytes, "10.7.0.3");
      east!.run(fuzzed.world.nowMs);
      fuzzed.world.sent.length = 0;
      return [kindOf(bytes), bytes.length > 5 ? tagOf(bytes) : 0];
    },
  },
];
