/** From where a host may be reached: for the verbs that run one. */
import { isIP } from "node:net";
import { InvalidArgumentError, Option } from "commander";
import type { ReachOptions } from "../leader/access/reach.ts";

export interface HostReachOptions {
  readonly listen?: string;
  readonly publicName?: readonly string[];
  readonly requireLogin?: boolean;
  readonly mqttPlain?: boolean;
  readonly mdnsInterface?: readonly string[];
}

/** For boards and other hosts. */
export function listenOptions(): Option[] {
  return [
    new Option(
      "--listen <address>",
      "listen there, with TLS and a login, instead of on this computer alone: 192.0.2.7, or 0.0.0.0 for all its addresses",
    ).argParser(address),
    new Option(
      "--mqtt-plain",
      "no TLS towards the boards, for chips whose memory has no room for it; what they say is protected end to end all the same",
    ),
    new Option(
      "--mdns-interface <names>",
      "network interfaces on which boards are told by mDNS where this host is, such as eth0,192.0.2.7; none for nowhere; where it listens if not said",
    ).argParser((text) => text.split(",").map((name) => name.trim())),
  ];
}

/** For people and programs. */
export function loginOptions(): Option[] {
  return [
    new Option(
      "--public-name <names>",
      "further names of this host, as a proxy or DNS has them: covey.example,covey.example:8443",
    ).argParser(names),
    new Option("--require-login", "ask who is there on this computer too"),
  ];
}

export function reachOf({ listen, publicName, requireLogin, mqttPlain }: HostReachOptions): ReachOptions {
  return { listen, publicNames: publicName, requireLogin, mqttPlain };
}

function address(text: string): string {
  if (isIP(text) > 0) return text;
  throw new InvalidArgumentError("Write an IP address of this computer, or 0.0.0.0 for all of them.");
}

function names(text: string): readonly string[] {
  const given = text.split(",").map((name) => name.trim());
  if (given.every((name) => /^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?$/.test(name))) return given;
  throw new InvalidArgumentError(
    "Write names in small letters, with a port where it is another one: covey.example:8443.",
  );
}
