/** Payloads as they go onto the wire: sealed within a session, or under the key of the host that publishes. Nobody opens them. */
import { nodeCiphers } from "../host-tools/security/node-ciphers.ts";
import { GroupSender } from "../protocols/security/group/group-records.ts";
import { makeSenderKey } from "../protocols/security/group/sender-key.ts";
import { RecordChannel } from "../protocols/security/record/channel.ts";
import { recordAad } from "../protocols/security/record/context.ts";

export class Sealer {
  readonly #publications: GroupSender;
  readonly #channels = new Map<string, RecordChannel>();

  constructor(publicationTopic: string) {
    this.#publications = new GroupSender(
      nodeCiphers,
      makeSenderKey(nodeCiphers, "host", 0),
      publicationTopic,
    );
  }

  publication(payload: Uint8Array): Uint8Array {
    return this.#publications.seal(payload);
  }

  /** As if each topic had a session of its own. */
  record(topic: string, payload: Uint8Array): Uint8Array {
    const channel = this.#channels.get(topic) ?? newChannel();
    this.#channels.set(topic, channel);
    const aad = recordAad({ epoch: 0, sender: "host", receiver: "board", topic, type: "raft" });
    return channel.seal(aad, payload);
  }
}

function newChannel(): RecordChannel {
  const bytes = new Uint8Array(16 + 13);
  nodeCiphers.random(bytes);
  const keys = { key: bytes.slice(0, 16), iv: bytes.slice(16) };
  return new RecordChannel(nodeCiphers, keys, keys);
}
