/** Certificates, as OpenSSL reads them and TLS uses them. */
import { X509Certificate } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import * as tls from "node:tls";
import { expect, it } from "vitest";
import { makeAuthority, makeHostCertificate, pem } from "../../../host-tools/keys/authority.ts";

const nowMs = Date.now();
const dayMs = 24 * 3_600_000;
const authority = makeAuthority("garden", nowMs);
const ca = new X509Certificate(authority.certificate);
const secrets = makeHostCertificate(authority, "main", ["leader.local", "192.0.2.7", "2001:db8::7"], nowMs);
const leaf = new X509Certificate(secrets.certificates);

it("the authority signs itself, is one, and lasts until before 2050", () => {
  expect(ca).toMatchObject({ ca: true, subject: "CN=Covey swarm garden", issuer: "CN=Covey swarm garden" });
  expect(ca.verify(ca.publicKey)).toBe(true);
  expect(ca.validFromDate.getTime()).toBeLessThanOrEqual(nowMs - dayMs + 1000);
  expect(ca.validToDate.getTime()).toBeGreaterThan(nowMs + 19 * 365 * dayMs);
  expect(pem(authority.certificate)).toBe(ca.toString());
});

it("a host's certificate is the authority's, for servers alone, and for its names and addresses", () => {
  expect(leaf.ca).toBe(false);
  expect(leaf.checkIssued(ca)).toBe(true);
  expect(leaf.verify(ca.publicKey)).toBe(true);
  expect(leaf.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  for (const name of ["localhost", "leader.local"]) expect(leaf.checkHost(name)).toBe(name);
  for (const ip of ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::7"]) expect(leaf.checkIP(ip)).toBe(ip);
  expect(leaf.checkHost("elsewhere.local")).toBeUndefined();
  expect(leaf.checkIP("192.0.2.8")).toBeUndefined();
});

it("a board that knows no later time than the authority's beginning may take a host's, whenever that was made", () => {
  const later = makeHostCertificate(authority, "main", [], nowMs + 400 * dayMs);
  expect(new X509Certificate(later.certificates).validFromDate).toEqual(ca.validFromDate);
});

it("the authority names its own key, by which the boards' TLS finds it in a chain", () => {
  // id-ce-authorityKeyIdentifier, 20 bytes of key identifier.
  expect(Buffer.from(authority.certificate).toString("hex")).toContain("0603551d23041830168014");
});

it("no two certificates have one number or one key", () => {
  const other = new X509Certificate(makeHostCertificate(authority, "main", [], nowMs).certificates);
  expect(other.serialNumber).not.toBe(leaf.serialNumber);
  expect(other.publicKey.equals(leaf.publicKey)).toBe(false);
});

it.each(["TLSv1.2", "TLSv1.3"] as const)(
  "%s: whoever knows the authority is connected, with the whole chain; a stranger is not",
  async (version) => {
    const server = tls.createServer({ cert: secrets.certificates, key: secrets.privateKey }, (socket) =>
      socket.end("hello"),
    );
    server.on("tlsClientError", () => {});
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const connect = (authorities: string[]) =>
      tls.connect({ host: "127.0.0.1", port, ca: authorities, minVersion: version, maxVersion: version });
    try {
      const friend = connect([pem(authority.certificate)]);
      await once(friend, "secureConnect");
      expect(friend.getProtocol()).toBe(version);
      expect(friend.getPeerCertificate(true).issuerCertificate.fingerprint256).toBe(ca.fingerprint256);
      friend.destroy();
      const stranger = connect([pem(makeAuthority("garden", nowMs).certificate)]);
      await expect(once(stranger, "secureConnect")).rejects.toThrow(/self-signed certificate|unable to/);
    } finally {
      server.close();
    }
  },
);
