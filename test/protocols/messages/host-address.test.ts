import fc from "fast-check";
import { expect, test } from "vitest";
import { formatHosts, hostsMax, mqttPort, parseHosts } from "../../../protocols/messages/host-address.ts";

test("hosts are read with their ports, the usual one if none is said, and with IPv6 in brackets", () => {
  expect(parseHosts("a=192.0.2.7:1883, b=host-b.local,c=[2001:db8::1]:1884")).toEqual([
    { name: "a", address: "192.0.2.7", port: 1883 },
    { name: "b", address: "host-b.local", port: mqttPort },
    { name: "c", address: "2001:db8::1", port: 1884 },
  ]);
  expect(parseHosts("a=2001:db8::1")).toEqual([{ name: "a", address: "2001:db8::1", port: mqttPort }]);
});

test("what is written comes back as it was", () => {
  const address = fc.oneof(fc.ipV4(), fc.domain(), fc.constant("2001:db8::7"));
  const host = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,31}$/),
    address,
    port: fc.integer({ min: 1, max: 65_535 }),
  });
  const hosts = fc.uniqueArray(host, { selector: ({ name }) => name, minLength: 1, maxLength: hostsMax });
  fc.assert(
    fc.property(hosts, (some) => {
      expect(parseHosts(formatHosts(some))).toEqual(some);
    }),
  );
});

test.each([
  ["nothing", ""],
  ["an address without a name", "192.0.2.7"],
  ["a name without an address", "a="],
  ["a name twice", "a=h,a=i"],
  ["port 0", "a=h:0"],
  ["a port that is none", "a=h:x"],
  ["a port beyond the last", "a=h:65536"],
  ["four hosts", "a=h,b=h,c=h,d=h"],
])("%s is refused", (_, text) => expect(parseHosts(text)).toBeUndefined());
