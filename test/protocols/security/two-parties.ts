/** A board and a host with keys of their own, known to each other by kid. */
import { nodeCiphers } from "../../../host-tools/security/node-ciphers.ts";
import { encodeCbor } from "../../../protocols/cbor/encode.ts";
import { type Credential, idOfKid } from "../../../protocols/security/edhoc/credential.ts";
import { Initiator } from "../../../protocols/security/edhoc/initiator.ts";
import type { Party } from "../../../protocols/security/edhoc/party.ts";
import { Responder } from "../../../protocols/security/edhoc/responder.ts";
import type { EdhocSession, Handshaken } from "../../../protocols/security/edhoc/session.ts";

export interface Identity {
  readonly credential: Credential;
  readonly privateKey: Uint8Array;
}

export function identity(kid: number): Identity {
  const { privateKey, publicKey } = nodeCiphers.generateKeyPair();
  const credential = {
    id: idOfKid(Uint8Array.of(kid)),
    bytes: encodeCbor(["test", kid, publicKey]),
    publicKey,
  };
  return { credential, privateKey };
}

export const board = identity(1);
export const host = identity(2);

export function party(own: Identity, others: readonly Identity[], differs: Partial<Party> = {}): Party {
  return {
    ciphers: nodeCiphers,
    ...own,
    find: (id) => others.find(({ credential }) => Buffer.compare(credential.id, id) === 0)?.credential,
    connectionId: own.credential.id.slice(-1),
    ...differs,
  };
}

/** The sessions of both sides. */
export function handshake(): { initiator: EdhocSession; responder: EdhocSession } {
  const { initiator, responder } = handshakeOf(board, host);
  return { initiator: initiator.session, responder: responder.session };
}

/** What both sides have of a handshake with each other. */
export function handshakeOf(
  one: Identity,
  other: Identity,
): { initiator: Handshaken; responder: Handshaken } {
  const first = new Initiator(party(one, [other]));
  const second = new Responder(party(other, [one]));
  const responder = second.takeMessage3(first.takeMessage2(second.takeMessage1(first.message1)));
  return { initiator: first.takeMessage4(responder.message4), responder };
}
