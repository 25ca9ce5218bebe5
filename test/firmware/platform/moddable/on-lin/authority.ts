import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate authority of one's own, and a server's certificate that it has signed; made by openssl. */
export class Authority {
  /** As DER. */
  readonly certificateDer: Uint8Array;
  /** The SDK finds its authority in the chain that the server sends, so that must hold it. */
  readonly server: { readonly key: string; readonly cert: string };

  constructor(folder: string, name: string) {
    const file = (what: string) => join(folder, `${name}-${what}.pem`);
    const openssl = (...words: string[]) =>
      execFileSync("openssl", words, { stdio: ["ignore", "pipe", "pipe"] });
    const key = (what: string) => ["-newkey", "rsa:2048", "-nodes", "-keyout", file(what)];
    writeFileSync(file("extensions"), "subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth\n");
    openssl(
      "req",
      "-x509",
      ...key("authority-key"),
      "-out",
      file("authority"),
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
    );
    openssl("req", ...key("server-key"), "-out", file("request"), "-subj", "/CN=127.0.0.1");
    openssl(
      ...["x509", "-req", "-in", file("request"), "-CA", file("authority"), "-CAkey", file("authority-key")],
      ...["-CAcreateserial", "-out", file("server"), "-days", "2", "-extfile", file("extensions")],
    );
    const text = (what: string) => readFileSync(file(what), "utf8");
    this.certificateDer = new X509Certificate(text("authority")).raw;
    this.server = { key: text("server-key"), cert: text("server") + text("authority") };
  }
}
