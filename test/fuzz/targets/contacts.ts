/** How a board reaches its swarm: what the agreed state says of it, and what its small values hold. */
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import {
  type Contact,
  contactFromBytes,
  contactToBytes,
  numberOfSealed,
  openContact,
  sealContact,
} from "../../../protocols/provisioning/contact.ts";
import { contactInUse, contactUseOf } from "../../../protocols/provisioning/contact-use.ts";
import type { Target } from "../target.ts";

const file = "protocols/provisioning/contact.ts";
const key = new Uint8Array(16).fill(1);
const contact: Contact = {
  number: 3,
  wifi: { ssid: "flock", password: "secret" },
  hosts: [
    { name: "a", address: "192.0.2.7", port: 7883 },
    { name: "b", address: "b.example", port: 7884 },
  ],
  timeServer: "time.example",
};
const bare: Contact = { number: 0, wifi: undefined, hosts: [], timeServer: undefined };

export const contactTargets: readonly Target[] = [
  {
    name: "contact",
    covers: [`${file} contactFromBytes`, "protocols/provisioning/contact-use.ts contactInUse"],
    seeds: [contactToBytes(contact), contactToBytes(bare)],
    errors: [],
    decode: (bytes) => [
      contactFromBytes(bytes),
      contactInUse({ read: () => bytes }),
      contactUseOf({ read: () => bytes }),
    ],
  },
  {
    name: "sealed contact",
    covers: [`${file} numberOfSealed`, `${file} openContact`],
    seeds: [sealContact(nodeCiphers, key, "greenhouse", contact, new Uint8Array(13))],
    errors: [],
    decode: (bytes) => [numberOfSealed(bytes), openContact(nodeCiphers, key, "greenhouse", bytes)],
  },
];
