/**
 * The swarm's certificate authority, for TLS to its hosts (RFC 5280): one self-signed certificate, and one below it for each host.
 *
 * TLS is additional here: who belongs is proved end to end by identities (`protocols/security/`). So certificates are few and live long, and
 * nothing is revoked by them.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { isIP } from "node:net";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
} from "@peculiar/asn1-x509";
import { type KeyPair, keyBytes } from "../../protocols/security/ciphers.ts";
import type { TlsSecrets } from "../security/member-file.ts";
import { nodeCiphers } from "../security/node-ciphers.ts";

export interface Authority {
  /** 32 bytes, on P-256. */
  readonly privateKey: Uint8Array;
  /** DER. */
  readonly certificate: Uint8Array;
}

const yearMs = 365.25 * 24 * 3_600_000;
/** Ends before 2050, where certificates begin to write their times in another form, which not every board's TLS reads. */
const authorityMs = 20 * yearMs;
const hostMs = 10 * yearMs;
/** Clocks of those who check it may be behind. */
const clocksApartMs = 24 * 3_600_000;

/** Of a host on its own computer. */
export const ownAddresses: readonly string[] = ["localhost", "127.0.0.1", "::1"];

export function makeAuthority(swarm: string, nowMs: number): Authority {
  const keys = nodeCiphers.generateKeyPair();
  const subject = nameOf(`Covey swarm ${swarm}`);
  const keyIdentifier = new KeyIdentifier(identifierOf(keys.publicKey));
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true, pathLenConstraint: 0 }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(keys.publicKey))),
    // RFC 5280 would let it be left out here; the boards' TLS looks for its authority by it.
    extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier })),
  ];
  const validity = validityOf(nowMs, authorityMs);
  const certificate = signed(keys, {
    ...{ subject, issuer: subject, validity, extensions },
    publicKey: keys.publicKey,
  });
  return { privateKey: keys.privateKey, certificate };
}

/**
 * A certificate and its key for a host that is reached under `addresses` (names and IP addresses) beside those of its own
 * computer. Leaf and authority, since a board needs both.
 */
export function makeHostCertificate(
  authority: Authority,
  host: string,
  addresses: readonly string[],
  nowMs: number,
): TlsSecrets {
  const keys = nodeCiphers.generateKeyPair();
  const above = AsnConvert.parse(authority.certificate, Certificate).tbsCertificate;
  const abovePublic = new Uint8Array(above.subjectPublicKeyInfo.subjectPublicKey, 1);
  const names = [...new Set([...ownAddresses, ...addresses])].map((address) =>
    isIP(address) === 0 ? new GeneralName({ dNSName: address }) : new GeneralName({ iPAddress: address }),
  );
  const keyIdentifier = new KeyIdentifier(identifierOf(abovePublic));
  const extensions = [
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: false }), true),
    extension(id_ce_keyUsage, new KeyUsage(KeyUsageFlags.digitalSignature), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_serverAuth])),
    extension(id_ce_subjectAltName, new SubjectAlternativeName(names)),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(identifierOf(keys.publicKey))),
    extension(id_ce_authorityKeyIdentifier, new AuthorityKeyIdentifier({ keyIdentifier })),
  ];
  const leaf = signed(
    { privateKey: authority.privateKey, publicKey: abovePublic },
    {
      ...{ subject: nameOf(host), issuer: above.subject, extensions },
      // Holds from when the authority does: a board that has just got its power knows no later time.
      validity: new Validity({
        notBefore: above.validity.notBefore.getTime(),
        notAfter: new Date(nowMs + hostMs),
      }),
      publicKey: keys.publicKey,
    },
  );
  return {
    certificates: pem(leaf) + pem(authority.certificate),
    privateKey: keyObject(keys).export({ type: "pkcs8", format: "pem" }) as string,
  };
}

/** DER as the text that OpenSSL, browsers and Node take. */
export function pem(certificate: Uint8Array): string {
  const lines = Buffer.from(certificate)
    .toString("base64")
    .match(/.{1,64}/g)!;
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

interface Claims {
  readonly subject: Name;
  readonly issuer: Name;
  readonly validity: Validity;
  readonly publicKey: Uint8Array;
  readonly extensions: Extension[];
}

function signed(issuer: KeyPair, { publicKey, extensions, ...names }: Claims): Uint8Array {
  const signature = new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 });
  const spki = createPublicKey({ key: jwkOf(publicKey), format: "jwk" }).export({
    type: "spki",
    format: "der",
  });
  const tbsCertificate = new TBSCertificate({
    ...{ version: version3, serialNumber: serialNumber(), signature, ...names },
    subjectPublicKeyInfo: AsnConvert.parse(spki, SubjectPublicKeyInfo),
    extensions: new Extensions(extensions),
  });
  const signatureValue = sign("sha256", Buffer.from(AsnConvert.serialize(tbsCertificate)), keyObject(issuer));
  const certificate = new Certificate({
    ...{ tbsCertificate, signatureAlgorithm: signature },
    signatureValue: buffer(signatureValue),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

const ecdsaWithSha256 = "1.2.840.10045.4.3.2";
const commonName = "2.5.4.3";
const version3 = 2;

function nameOf(text: string): Name {
  const value = new AttributeValue({ utf8String: text });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])]);
}

function validityOf(nowMs: number, lengthMs: number): Validity {
  return new Validity({ notBefore: new Date(nowMs - clocksApartMs), notAfter: new Date(nowMs + lengthMs) });
}

function extension(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

/** RFC 5280, section 4.2.1.2, method 1, of the uncompressed point. */
function identifierOf(publicKey: Uint8Array): ArrayBuffer {
  return buffer(createHash("sha1").update(Uint8Array.of(4)).update(publicKey).digest());
}

/** Positive, and not to be guessed (RFC 5280, section 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return buffer(bytes);
}

function keyObject({ privateKey, publicKey }: KeyPair): KeyObject {
  const d = Buffer.from(privateKey).toString("base64url");
  return createPrivateKey({ key: { ...jwkOf(publicKey), d }, format: "jwk" });
}

function jwkOf(publicKey: Uint8Array) {
  const [x, y] = [publicKey.subarray(0, keyBytes), publicKey.subarray(keyBytes)].map((bytes) =>
    Buffer.from(bytes).toString("base64url"),
  );
  return { kty: "EC", crv: "P-256", x: x!, y: y! };
}

function buffer(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
