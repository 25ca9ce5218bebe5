// A program over the adapter's ciphers, in the place of the board's main: tries the cases of Wycheproof that it finds in its flash and tells
// of each kind how many it tried and what was wrong; then what each primitive costs.
import flash from "embedded:storage/flash";
import Time from "time";
import Timer from "timer";
import { ChipRandom, heapUsedBytes, stackPeakSlots } from "../../../../../firmware/platform/moddable/chip.ts";
import { ChipCiphers } from "../../../../../firmware/platform/moddable/ciphers.ts";
import { caseKinds, faultIn } from "../../../../conformance/wycheproof/check-case.ts";

export default function start() {
  stackPeakSlots();
  const partition = flash.open({ path: "cases", mode: "r+" });
  const ciphers = new ChipCiphers(new ChipRandom());
  const given = JSON.parse(givenText);
  tryKinds(partition, ciphers, given.counts, 0);
}

/** A kind in a turn. */
function tryKinds(partition, ciphers, [count, ...later], from) {
  if (count === undefined) return measure(ciphers);
  let [at, faults, kind] = [from, 0, undefined];
  for (let tried = 0; tried < count; tried += 1) {
    const { next, each } = readCase(partition, at);
    at = next;
    kind = each.kind;
    const fault = faultIn(ciphers, each);
    if (fault === undefined) continue;
    faults += 1;
    say(`fault: ${kind} ${each.number}: ${fault}`);
  }
  say(`tried ${kind}: ${count} cases, ${faults} faults`);
  Timer.set(() => tryKinds(partition, ciphers, later, at), 0);
}

/** As ciphers.ts writes it: kind, number, whether it is valid, how many fields; their lengths; the fields. */
function readCase(partition, from) {
  const [kind, high, low, isValid, count] = new Uint8Array(partition.read(5, from));
  const lengths = new Uint8Array(partition.read(count * 2, from + 5));
  const fields = [];
  let at = from + 5 + count * 2;
  for (let field = 0; field < count; field += 1) {
    const length = lengths[field * 2] * 256 + lengths[field * 2 + 1];
    fields.push(length === 0 ? new Uint8Array(0) : new Uint8Array(partition.read(length, at)));
    at += length;
  }
  const each = { kind: caseKinds[kind], number: high * 256 + low, isValid: isValid === 1, fields };
  return { next: at, each };
}

function measure(ciphers) {
  const { privateKey, publicKey } = ciphers.generateKeyPair();
  const [key, nonce, aad, text] = [16, 13, 64, 128].map((length) => new Uint8Array(length).fill(length));
  const x = publicKey.slice(0, 32);
  const signature = ciphers.sign(privateKey, text);
  const sealed = ciphers.ccmSeal(key, nonce, 8, aad, text);
  const work = {
    "SHA-256 of 128 bytes": () => ciphers.sha256(text),
    "HMAC of 128 bytes": () => ciphers.hmacSha256(key, text),
    "AES-CCM, sealing 128 bytes": () => ciphers.ccmSeal(key, nonce, 8, aad, text),
    "AES-CCM, opening 128 bytes": () => ciphers.ccmOpen(key, nonce, 8, aad, sealed),
    "key pair": () => ciphers.generateKeyPair(),
    "shared secret": () => ciphers.sharedSecret(privateKey, x),
    "ES256, signing": () => ciphers.sign(privateKey, text),
    "ES256, verifying": () => ciphers.verify(publicKey, text, signature),
  };
  for (const [name, run] of Object.entries(work)) {
    let [rounds, heapBytes] = [0, 0];
    const startedMs = Time.ticks;
    for (; Time.ticks - startedMs < 300; rounds += 1) {
      const before = heapUsedBytes();
      run();
      // The collector may have been there meanwhile.
      heapBytes = Math.max(heapBytes, heapUsedBytes() - before);
    }
    const microseconds = Math.round(((Time.ticks - startedMs) * 1000) / rounds);
    say(`costs ${name}: ${microseconds} us, ${heapBytes} bytes of heap`);
  }
  say(`all done, with ${stackPeakSlots()} slots of stack at most`);
}

function say(text) {
  trace(`${text}\n`);
}
