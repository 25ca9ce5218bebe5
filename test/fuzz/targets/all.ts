import type { Target } from "../target.ts";
import { actionTargets } from "./actions.ts";
import { checkpointTargets } from "./checkpoints.ts";
import { codecTargets } from "./codecs.ts";
import { contactTargets } from "./contacts.ts";
import { improvTargets } from "./improv.ts";
import { keepingTargets } from "./keeping.ts";
import { lanTargets } from "./lan.ts";
import { modelTargets } from "./models.ts";
import { registerTargets } from "./registers.ts";
import { securityTargets } from "./security.ts";
import { serialTargets } from "./serial.ts";
import { streamTargets } from "./streams.ts";
import { taskTargets } from "./tasks.ts";
import { turnTargets } from "./turns.ts";

/** Every decoder that faces the network. */
export const targets: readonly Target[] = [
  ...actionTargets,
  ...codecTargets,
  ...checkpointTargets,
  ...contactTargets,
  ...streamTargets,
  ...securityTargets,
  ...improvTargets,
  ...lanTargets,
  ...serialTargets,
  ...modelTargets,
  ...registerTargets,
  ...taskTargets,
  ...turnTargets,
  ...keepingTargets,
];

/** What looks like a decoder, by its name, and faces no network. */
export const notFacing: Readonly<Record<string, string>> = {
  "protocols/series/bits.ts BitReader": "run by the blocks of readings",
  "protocols/series/xor.ts XorReader": "run by the blocks of readings",
  "protocols/series/decoder.ts decodeBlock": "run by the blocks of readings",
  "protocols/cbor/shape.ts ItemReader": "walks decoded values: run by every codec",
  "protocols/text/utf8.ts readUtf8": "run by the CBOR decoder and the MQTT packets on whatever comes",
  "protocols/messages/host-address.ts parseHosts": "an address list on a command line or in an image",
  "protocols/time/posix-tz.ts parseZone": "a time zone in swarm.ts",
  "host-tools/leader/hosts/peer-addresses.ts parsePeers": "an address list on a command line",
};
