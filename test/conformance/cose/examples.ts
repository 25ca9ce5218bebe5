/** The examples of `vectors/` that are of one kind. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Decoder, Tag } from "cbor-x";

export interface Example {
  /** `sign1-tests/sign-pass-01`. */
  readonly name: string;
  readonly fails: boolean;
  /** As it stands. */
  readonly bytes: Uint8Array;
  /** The CBOR tag, if there is one. */
  readonly tag: number | undefined;
  /** Inside the tag: protected header, unprotected header, payload or ciphertext, and a COSE_Sign1's signature. */
  readonly parts: readonly [Uint8Array, ReadonlyMap<number, unknown>, Uint8Array, Uint8Array?];
  readonly plaintext: Uint8Array;
  /** What is authenticated beside, and is in no part; empty where there is none. */
  readonly external: Uint8Array;
  /** A signer's public key, x and y, where it is one of P-256. */
  readonly publicKey: Uint8Array | undefined;
  /** What a COSE_Encrypt0 is encrypted under. */
  readonly contentKey: Uint8Array | undefined;
  /** The whole nonce, where the example gives it apart from the message. */
  readonly nonce: Uint8Array | undefined;
  /** The Enc_structure or Sig_structure that belongs to the example before it was made to fail. */
  readonly authenticated: Uint8Array;
}

type Fields = Readonly<Record<string, string>>;

interface ExampleFile {
  readonly fail?: boolean;
  readonly input: Fields & {
    readonly sign0?: Fields & { readonly key: Fields };
    readonly encrypted?: Fields & { readonly unsent?: Fields };
  };
  readonly intermediates: Fields;
  readonly output: { readonly cbor: string };
}

/** Maps as Map; a tag stays one. */
const decoder = new Decoder({ mapsAsObjects: false });

export function readExample(name: string): Example {
  const path = join(import.meta.dirname, "vectors", `${name}.json`);
  const { fail, input, intermediates, output } = JSON.parse(readFileSync(path, "utf8")) as ExampleFile;
  const bytes = hex(output.cbor);
  const item: unknown = decoder.decode(bytes);
  const own = input.sign0 ?? input.encrypted;
  const key = input.sign0?.key;
  return {
    name,
    fails: fail === true,
    bytes,
    tag: item instanceof Tag ? (item as unknown as { tag: number }).tag : undefined,
    parts: (item instanceof Tag ? item.value : item) as Example["parts"],
    plaintext: new Uint8Array(
      input.plaintext === undefined ? hex(input.plaintext_hex!) : Buffer.from(input.plaintext),
    ),
    external: hex((own?.external as string | undefined) ?? ""),
    publicKey:
      key?.crv === "P-256" ? Uint8Array.of(...coordinate(key, "x"), ...coordinate(key, "y")) : undefined,
    contentKey: intermediates.CEK_hex === undefined ? undefined : hex(intermediates.CEK_hex),
    nonce: input.encrypted?.unsent === undefined ? undefined : hex(input.encrypted.unsent.IV_hex!),
    authenticated: hex(intermediates.ToBeSign_hex ?? intermediates.AAD_hex!),
  };
}

export function hex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "hex"));
}

function coordinate(key: Fields, name: string): Uint8Array {
  const digits = key[`${name}_hex`];
  return digits === undefined ? new Uint8Array(Buffer.from(key[name]!, "base64url")) : hex(digits);
}
