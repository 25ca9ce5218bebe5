/**
 * What a board is given before it first starts, and keeps over every update: small values in its NVS, in one namespace. An image holds
 * nothing of it, so one image serves every board of a kind, and no secret lies in a build folder.
 *
 * Who the board is, and in which swarm, its signed identity says.
 */
export const storedNamespace = "covey";

/** Keys have 15 characters at most (ESP-IDF, "Non-Volatile Storage Library"). Every value is a blob. */
export const storedKeys = Object.freeze({
  /** The swarm's root key: x and y. */
  root: "root",
  /** The board's identity as the root signed it. */
  signed: "identity",
  /** The private key of that identity. */
  privateKey: "key",
  /** Certificate of the authority that signs the hosts', DER: for TLS alone. */
  authority: "authority",
  /** Opens what the swarm is told when its house moves: `contactKeyOf` of `contact.ts`. */
  contactKey: "contact-key",
  /** How the board reaches its swarm: `contact.ts`. The one of its provisioning, until that gives way to a later one. */
  contact: "contact",
  /** A second contact: of the two, one is in use, and the other is what the board falls back to, or has not tried yet. */
  otherContact: "other-contact",
  /** Which of the two is in use: `ContactUse` of `contact-use.ts`. None: the first. */
  contactUse: "contact-use",
  /** How far its update has come, and which releases it will not run again. */
  update: "update",
} as const);
