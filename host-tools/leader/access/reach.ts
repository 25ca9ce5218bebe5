/**
 * From where a host may be reached, under which names, and what that takes.
 *
 * | started with | HTTP | MQTT | login |
 * | --- | --- | --- | --- |
 * | nothing | loopback | loopback | nobody is asked |
 * | `--require-login` | loopback | loopback | asked |
 * | `--public-name` (a proxy that speaks HTTPS stands before it) | loopback | loopback | asked |
 * | `--listen ADDRESS` | HTTPS there | TLS there, or plain with `--mqtt-plain` | asked |
 *
 * A foreign name that resolves to this address (DNS rebinding) is refused by the Host header: names are those above, and those for which the
 * certificate stands. A foreign page's request is refused by its Origin.
 */
import { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import type { TlsSecrets } from "../../security/member-file.ts";
import { ApiFailure } from "../api/api-failure.ts";

export interface ReachOptions {
  /** Address to listen at; undefined for loopback, without TLS. */
  readonly listen?: string | undefined;
  /** Further names of this host, with a port where a proxy has another one: `covey.example`, `covey.example:8443`. */
  readonly publicNames?: readonly string[] | undefined;
  readonly requireLogin?: boolean | undefined;
  /** MQTT without TLS, for chips that have no room for it: records are protected end to end all the same. */
  readonly mqttPlain?: boolean | undefined;
}

/** The host was to be reached from elsewhere and has no certificate. */
export class NoCertificate extends Error {
  override readonly name = "NoCertificate";

  constructor(hostName: string) {
    super(
      `--listen takes a certificate, and the identity of ${hostName} has none; issue it with covey keys issue ${hostName} --address and where it will be reached.`,
    );
  }
}

export const loopback = "127.0.0.1";
const loopbackNames: ReadonlySet<string> = new Set(["localhost", loopback, "[::1]"]);
const wildcards: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export class Reach {
  /** To listen at. */
  readonly address: string;
  /** For HTTPS; undefined where HTTP is plain. */
  readonly tls: TlsSecrets | undefined;
  /** For MQTT; undefined where it is plain. */
  readonly mqttTls: TlsSecrets | undefined;
  readonly mustLogIn: boolean;
  /** Of the HTTP server, once it listens. */
  port = 0;
  readonly #publicNames: readonly string[];
  readonly #certificate: X509Certificate | undefined;

  /** @throws {NoCertificate} */
  constructor(hostName: string, options: ReachOptions, tls: TlsSecrets | undefined) {
    const { listen, publicNames = [], requireLogin = false, mqttPlain = false } = options;
    const isOpen = listen !== undefined;
    if (isOpen && tls === undefined) throw new NoCertificate(hostName);
    this.address = listen ?? loopback;
    this.tls = isOpen ? tls : undefined;
    this.mqttTls = mqttPlain ? undefined : this.tls;
    this.mustLogIn = isOpen || requireLogin || publicNames.length > 0;
    this.#publicNames = publicNames;
    this.#certificate = this.tls === undefined ? undefined : new X509Certificate(this.tls.certificates);
  }

  /** Where the page is, for people and other programs: `https://a.example:7800`. */
  get url(): string {
    if (this.tls === undefined) return `http://${loopback}:${this.port}`;
    const name = this.#publicNames[0] ?? this.#shownName;
    return `https://${name === withoutPort(name) ? `${name}:${this.port}` : name}`;
  }

  /** Of the headers of those names. @throws {ApiFailure} */
  checkNames(host = "", origin: string | undefined): void {
    if (!this.#isOwnName(withoutPort(host))) {
      throw new ApiFailure(
        "bad-request",
        `This host answers only under ${this.#names}; use one of these in the address, or start it with --public-name.`,
        403,
      );
    }
    if (origin !== undefined && origin !== `${this.#scheme(host)}://${host}`) {
      throw new ApiFailure("bad-request", `A page of ${origin.slice(0, 100)} may not use this host.`, 403);
    }
  }

  /**
   * Whether a client that believes to be there is here, and nowhere else: the port counts, since another host may have the same name and another
   * port.
   */
  isOwnOrigin(origin: string): boolean {
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || url.origin !== origin) return false;
    if (url.protocol !== `${this.#scheme(url.host)}:`) return false;
    const isPublic = this.#publicNames.includes(url.host);
    return isPublic || (this.#isOwnName(url.hostname) && portOf(url) === this.port);
  }

  /** Whether whoever asks under that name came by HTTPS: then cookies are for HTTPS alone. */
  isSecure(host = ""): boolean {
    return this.#scheme(host) === "https";
  }

  /** Whether browsers are to remember that this name speaks HTTPS alone; not of `localhost`, which others use too. */
  isStrict(host = ""): boolean {
    return this.tls !== undefined && !loopbackNames.has(withoutPort(host));
  }

  /** Before a plain host's public names stands a proxy that speaks HTTPS. */
  #scheme(host: string): "http" | "https" {
    return this.tls !== undefined || this.#isPublicName(withoutPort(host)) ? "https" : "http";
  }

  #isOwnName(name: string): boolean {
    if (loopbackNames.has(name) || this.#isPublicName(name) || name === bracketed(this.address)) return true;
    if (this.#certificate === undefined) return false;
    const plain = name.replace(/^\[|\]$/g, "");
    return (
      (isIP(plain) > 0 ? this.#certificate.checkIP(plain) : this.#certificate.checkHost(plain)) !== undefined
    );
  }

  #isPublicName(name: string): boolean {
    return this.#publicNames.some((publicName) => withoutPort(publicName) === name);
  }

  get #names(): string {
    const names = [...this.#publicNames, ...this.#certifiedNames];
    return [...new Set([...names, "localhost", loopback, "[::1]"])].join(", ");
  }

  get #shownName(): string {
    if (!wildcards.has(this.address)) return bracketed(this.address);
    const foreign = this.#certifiedNames.find((name) => !loopbackNames.has(bracketed(name)));
    return bracketed(foreign ?? "localhost");
  }

  /** Of `DNS:a.example, IP Address:192.0.2.7`. */
  get #certifiedNames(): string[] {
    const text = this.#certificate?.subjectAltName ?? "";
    return text.split(", ").flatMap((name) => /^(?:DNS|IP Address):(.+)$/.exec(name)?.[1] ?? []);
  }
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "");
}

function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}
