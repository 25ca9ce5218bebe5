/** Handshakes, records, identities and what the root signs: by themselves, and all frames that a session's end may be sent. */
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { CborError } from "../../../protocols/cbor/error.ts";
import { SequenceReader } from "../../../protocols/cbor/sequence.ts";
import { openRoot, payloadUnchecked, signRoot } from "../../../protocols/security/cose/sign1.ts";
import { idOfKid, readId, readIdentifier } from "../../../protocols/security/edhoc/credential.ts";
import { EdhocError } from "../../../protocols/security/edhoc/error.ts";
import {
  checkEad,
  decodeCiphertext,
  decodeError,
  decodeMessage1,
  decodeMessage2,
  decodePlaintext2,
  decodePlaintext3,
  encodeError,
  encodeMessage1,
  encodeMessage2,
  encodeProof,
} from "../../../protocols/security/edhoc/messages.ts";
import { GroupReceiver, GroupSender } from "../../../protocols/security/group/group-records.ts";
import { makeSenderKey } from "../../../protocols/security/group/sender-key.ts";
import { credentialByValue, identityInside } from "../../../protocols/security/identity/credential.ts";
import {
  type Identity,
  IdentityError,
  readIdentity,
  readStoredIdentity,
  readStoredKey,
} from "../../../protocols/security/identity/identity.ts";
import { Roster, readRoster } from "../../../protocols/security/identity/roster.ts";
import { parseGroupRecord, parseRecord } from "../../../protocols/security/record/record.ts";
import { decodeFrame } from "../../../protocols/security/session/frames.ts";
import { SessionInitiator } from "../../../protocols/security/session/initiator.ts";
import { SessionResponder } from "../../../protocols/security/session/responder.ts";
import { readRelease, signRelease } from "../../../protocols/update/release.ts";
import { TestRoot } from "../../members.ts";
import { Pair } from "../../protocols/security/session-pair.ts";
import type { Target } from "../target.ts";

const root = new TestRoot("greenhouse");
const { publicKey, privateKey } = root.keys;
const north = root.issue("board", "north-1");
const statement = root.revoke(3, new Uint8Array(8).fill(1));
const signedRelease = signRelease(nodeCiphers, privateKey, {
  swarm: "greenhouse",
  model: "esp32c3-devkit",
  sequence: 3,
  firmware: "0.2.0",
  sizeBytes: 1_000_000,
  digest: new Uint8Array(32).fill(5),
});
const kid = new Uint8Array(8).fill(9);
const edhoc = "protocols/security/edhoc/messages.ts";

const pair = new Pair();
const frames: Uint8Array[] = [];
for (const first of [() => pair.initiator.start(), () => pair.initiator.refresh()]) {
  pair.carry(first(), (frame) => void frames.push(frame));
}
const record = pair.initiator.seal("t/up", "report", new Uint8Array(20))!;
const sender = new GroupSender(nodeCiphers, makeSenderKey(nodeCiphers, "main", 1), "t/all");
const publication = sender.seal(new Uint8Array(20));

const message1 = encodeMessage1({ suites: [3, 2], ephemeralX: new Uint8Array(32).fill(2), initiatorId: kid });
const proof = encodeProof(idOfKid(kid), new Uint8Array(16));

export const securityTargets: readonly Target[] = [
  plain("session frame", ["protocols/security/session/frames.ts decodeFrame"], frames, decodeFrame),
  plain("record", ["protocols/security/record/record.ts parseRecord"], [record], parseRecord),
  plain(
    "publication",
    [
      "protocols/security/record/record.ts parseGroupRecord",
      "protocols/security/group/group-records.ts GroupReceiver",
    ],
    [publication],
    (bytes) => {
      const receiver = new GroupReceiver(nodeCiphers, "t/all");
      receiver.hold(sender.key);
      return [parseGroupRecord(bytes), receiver.open(bytes)];
    },
  ),
  plain(
    "what the root signed",
    ["protocols/security/cose/sign1.ts openRoot", "protocols/security/cose/sign1.ts payloadUnchecked"],
    [statement, north.signed],
    (bytes) => [openRoot(nodeCiphers, publicKey, bytes), payloadUnchecked(bytes)],
  ),
  plain("roster", ["protocols/security/identity/roster.ts readRoster"], [statement], (bytes) => {
    const roster = new Roster(nodeCiphers, publicKey, "greenhouse", 3);
    return [readRoster(nodeCiphers, publicKey, bytes), roster.take(bytes), roster.admit(bytes)?.kid];
  }),
  plain("roster's items, as if signed", [], [payloadUnchecked(statement)!], (bytes) =>
    readRoster(nodeCiphers, publicKey, signRoot(nodeCiphers, privateKey, bytes)),
  ),
  plain("release", ["protocols/update/release.ts readRelease"], [signedRelease], (bytes) =>
    readRelease(nodeCiphers, publicKey, bytes),
  ),
  plain("release's items, as if signed", [], [payloadUnchecked(signedRelease)!], (bytes) =>
    readRelease(nodeCiphers, publicKey, signRoot(nodeCiphers, privateKey, bytes)),
  ),
  {
    name: "identity",
    covers: ["readIdentity", "readStoredIdentity", "readStoredKey"].map(
      (name) => `protocols/security/identity/identity.ts ${name}`,
    ),
    seeds: [north.signed, root.issue("host", "main").signed],
    errors: [IdentityError],
    decode: (bytes) => {
      const stored = withItsKey(bytes);
      return [stored, readIdentity(nodeCiphers, publicKey, bytes)];
    },
  },
  {
    name: "identity's claims, as if signed",
    covers: [],
    seeds: [payloadUnchecked(north.signed)!, payloadUnchecked(root.issue("admin", "ada").signed)!],
    errors: [IdentityError],
    decode: (claims) => withItsKey(signRoot(zeroSignatures, privateKey, claims)),
  },
  plain(
    "identity in a header",
    ["protocols/security/identity/credential.ts identityInside"],
    [credentialByValue(north.signed, north.identity).id, idOfKid(kid)],
    identityInside,
  ),
  handshake("message 1", `${edhoc} decodeMessage1`, [message1], decodeMessage1),
  handshake(
    "message 2",
    `${edhoc} decodeMessage2`,
    [encodeMessage2(kid, new Uint8Array(60))],
    decodeMessage2,
  ),
  handshake("messages 3 and 4", `${edhoc} decodeCiphertext`, [encodeCbor(new Uint8Array(30))], (bytes) =>
    decodeCiphertext("message 3", bytes),
  ),
  handshake("plaintext 2", `${edhoc} decodePlaintext2`, [new Uint8Array([0, ...proof])], decodePlaintext2),
  handshake(
    "plaintext 3",
    `${edhoc} decodePlaintext3`,
    [proof, new Uint8Array([...proof, 1, 0x41, 0])],
    decodePlaintext3,
  ),
  handshake("external data", `${edhoc} checkEad`, [Uint8Array.of(0, 0x41, 0, 1)], checkEad),
  handshake(
    "error message",
    `${edhoc} decodeError`,
    [
      new EdhocError("unsupported", "x", [3, 2]),
      new EdhocError("unknown-credential", "x"),
      new EdhocError("refused", "x"),
    ].map(encodeError),
    (bytes) => decodeError(bytes)?.fault,
  ),
  {
    name: "identifiers",
    covers: ["readId", "readIdentifier"].map((name) => `protocols/security/edhoc/credential.ts ${name}`),
    seeds: [encodeCbor(kid), idOfKid(kid), Uint8Array.of(0x37)],
    errors: [CborError, EdhocError],
    decode: (bytes) => {
      const reader = new SequenceReader(bytes);
      return bytes[0]! >> 5 === 5 ? readId(reader) : readIdentifier(reader);
    },
  },
  plain("frames to a host before its session", [], script(frames), (bytes) => {
    const responder = new SessionResponder(pair.host.options);
    return eachFrame(bytes, (frame) => responder.take(frame));
  }),
  plain("frames to a host in its session", [], script(frames), (bytes) => {
    const responder = new SessionResponder(pair.host.options, pair.responder.session);
    return eachFrame(bytes, (frame) => [responder.take(frame), responder.open("t/up", "report", frame)]);
  }),
  plain("frames to a board in its handshake", [], script(frames), (bytes) => {
    const initiator = new SessionInitiator(pair.board.options);
    initiator.start();
    return eachFrame(bytes, (frame) => [initiator.take(frame), initiator.open("t/down", "raft", frame)]);
  }),
];

/** Nothing may be thrown. */
function plain(
  name: string,
  covers: readonly string[],
  seeds: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => unknown,
): Target {
  return { name, covers, seeds, errors: [], decode };
}

function handshake(
  name: string,
  covers: string,
  seeds: readonly Uint8Array[],
  decode: (bytes: Uint8Array) => unknown,
): Target {
  return { name: `EDHOC ${name}`, covers: [covers], seeds, errors: [EdhocError], decode };
}

/** Several frames in one input: a length of two bytes before each. */
function script(list: readonly Uint8Array[]): Uint8Array[] {
  const parts = list.map((frame) => new Uint8Array([frame.length >> 8, frame.length & 0xff, ...frame]));
  return [...parts, new Uint8Array(parts.flatMap((part) => [...part]))];
}

/** At most as many frames as a host lets a connection begin handshakes, so that an input's time is bounded. */
function eachFrame(bytes: Uint8Array, take: (frame: Uint8Array) => unknown): unknown[] {
  const steps: unknown[] = [];
  for (let at = 0; at + 2 <= bytes.length && steps.length < 5; ) {
    const length = (bytes[at]! << 8) | bytes[at + 1]!;
    steps.push(take(bytes.slice(at + 2, at + 2 + length)));
    at += 2 + length;
  }
  return steps;
}

/** What is inside is looked at, so that its signature need not be made for each. */
const zeroSignatures = { ...nodeCiphers, sign: () => new Uint8Array(64) };

/** What is read of a whole identity, whose key by itself must be the same one. */
function withItsKey(bytes: Uint8Array): Identity {
  const key = keyAlone(bytes);
  const identity = readStoredIdentity(bytes);
  if (key === undefined || Buffer.compare(key, identity.publicKey) !== 0)
    throw new Error("An identity has one key, and by itself another.");
  return identity;
}

function keyAlone(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return readStoredKey(bytes);
  } catch (error) {
    if (error instanceof IdentityError) return undefined;
    throw error;
  }
}
