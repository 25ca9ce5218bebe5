/** TLS as every port of a host speaks it that may be reached from elsewhere. */
import type { Socket } from "node:net";
import { createSecureContext, type SecureContextOptions, TLSSocket } from "node:tls";
import type { TlsSecrets } from "../../security/member-file.ts";

/**
 * 1.3, or 1.2 with ephemeral keys and authenticated ciphers alone: the boards' SDK has no 1.3, and of those its `TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256`.
 * Leaf and authority are both sent, since a board can't fetch what is missing.
 */
export function tlsServerOptions({ certificates, privateKey }: TlsSecrets): SecureContextOptions {
  return {
    cert: certificates,
    key: privateKey,
    minVersion: "TLSv1.2",
    ciphers: [
      ...["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"],
      ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"],
    ].join(":"),
    honorCipherOrder: true,
  };
}

/**
 * Makes the server's end of TLS out of a connection that was taken. Whoever takes it sees to it that the other end speaks within some time: the
 * handshake has none of its own.
 */
export function tlsAcceptor(secrets: TlsSecrets): (socket: Socket) => Socket {
  const secureContext = createSecureContext(tlsServerOptions(secrets));
  return (socket) => new TLSSocket(socket, { isServer: true, secureContext });
}

/** The authority that signed a member's certificate, as PEM: what stands last. undefined where the member has no certificate. */
export function authorityOf(tls: TlsSecrets | undefined): string | undefined {
  if (tls === undefined) return undefined;
  const at = tls.certificates.lastIndexOf("-----BEGIN CERTIFICATE-----");
  return at < 0 ? undefined : tls.certificates.slice(at);
}
