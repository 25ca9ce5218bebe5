/** RFC 9529, chapter 3: authentication with static Diffie-Hellman keys, credentials by kid, suites 6 and 2 offered. */
import { createECDH } from "node:crypto";
import { describe, expect, test } from "vitest";
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import type { KeyPair } from "../../../protocols/security/ciphers.ts";
import type { Credential } from "../../../protocols/security/edhoc/credential.ts";
import { Initiator } from "../../../protocols/security/edhoc/initiator.ts";
import { Responder } from "../../../protocols/security/edhoc/responder.ts";

const bytes = (...hex: string[]) => new Uint8Array(Buffer.from(hex.join(""), "hex"));
const hex = (array: Uint8Array) => Buffer.from(array).toString("hex");

const initiatorKey = bytes("fb13adeb6518cee5f88417660841142e830a81fe334380a953406a1305e8706b");
const responderKey = bytes("72cc4761dbd4c78f758931aa589d348d1ef874a7e303ede2f140dcf3e6aa4aac");
const initiatorEphemeral = pair(bytes("368ec1f69aeb659ba37d5a8d45b21bdc0299dceaa8ef235f3ca42ce3530f9525"));
const responderEphemeral = pair(bytes("e2f4126777205e853b437d6eaca1e1f753cdcc3e2c69fa884b0a1a640977e418"));

const initiator: Credential = {
  id: bytes("a104412b"),
  bytes: bytes(
    "a2027734322d35302d33312d46462d45462d33372d33322d333908a101a5010202412b2001215820ac75e9ece3e50bfc8ed6",
    "0399889522405c47bf16df96660a41298cb4307f7eb62258206e5de611388a4b8a8211334ac7d37ecb52a387d257e6db3c2a",
    "93df21ff3affc8",
  ),
  publicKey: pair(initiatorKey).publicKey,
};
const responder: Credential = {
  id: bytes("a1044132"),
  bytes: bytes(
    "a2026b6578616d706c652e65647508a101a501020241322001215820bbc34960526ea4d32e940cad2a234148ddc21791a12a",
    "fbcbac93622046dd44f02258204519e257236b2a0ce2023f0931f1f386ca7afda64fcde0108c224c51eabf6072",
  ),
  publicKey: pair(responderKey).publicKey,
};

/** The responder of the trace speaks suite 2 alone; the initiator likes the unassigned-to-Covey 6 better, and knows that. */
const suites = [6, 2];

describe("RFC 9529, chapter 3", () => {
  const first = new Initiator(
    {
      ciphers: nodeCiphers,
      credential: initiator,
      privateKey: initiatorKey,
      find: (id) => (hex(id) === hex(responder.id) ? responder : undefined),
      connectionId: bytes("37"),
      suites,
      ephemeral: initiatorEphemeral,
    },
    2,
  );
  const second = new Responder({
    ciphers: nodeCiphers,
    credential: responder,
    privateKey: responderKey,
    find: (id) => (hex(id) === hex(initiator.id) ? initiator : undefined),
    connectionId: bytes("27"),
    suites: [2],
    ephemeral: responderEphemeral,
  });
  const message2 = second.takeMessage1(first.message1);
  const message3 = first.takeMessage2(message2);
  const { message4, session } = second.takeMessage3(message3);
  const { session: own } = first.takeMessage4(message4);

  test("message 1 (3.2)", () => {
    expect(hex(first.message1)).toBe(
      "0382060258208af6f430ebe18d34184017a9a11bf511c8dff8f834730b96c1b7c8dbca2fc3b637",
    );
  });

  test("message 2 (3.3)", () => {
    expect(hex(message2)).toBe(
      "582b419701d7f00a26c2dc587a36dd752549f33763c893422c8ea0f955a13a4ff5d59862a1eef9e0e7e1886fcd",
    );
  });

  test("message 3 (3.4)", () => expect(hex(message3)).toBe("52e562097bc417dd5919485ac7891ffd90a9fc"));

  test("message 4 (3.5)", () => expect(hex(message4)).toBe("4828c966b7ca304f83"));

  test("OSCORE master secret and salt, before and after a key update (3.6, 3.7)", () => {
    const none = new Uint8Array(0);
    for (const side of [session, own]) {
      expect(hex(side.exportKey(0, none, 16))).toBe("f9868f6a3aca78a05d1485b35030b162");
      expect(hex(side.exportKey(1, none, 8))).toBe("ada24c7dbfc85eeb");
      const updated = side.updated(bytes("a01158fdb820890cd6be169602b8bcea"));
      expect(hex(updated.exportKey(0, none, 16))).toBe("49f72fac02b4658bda21e2dac66fc374");
      expect(hex(updated.exportKey(1, none, 8))).toBe("dd8b24f2aa9b011a");
    }
  });
});

function pair(privateKey: Uint8Array): KeyPair {
  const ecdh = createECDH("prime256v1");
  ecdh.setPrivateKey(privateKey);
  return { privateKey, publicKey: new Uint8Array(ecdh.getPublicKey().subarray(1)) };
}
