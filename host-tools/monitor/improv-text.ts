/** Improv's packets as they pass by in a log: what they are, never what they carry, which may be an address, a key or a password. */
import { PacketType } from "../../protocols/improv/packets.ts";
import { Command, ErrorState, State } from "../../protocols/improv/rpc.ts";

export function improvText(type: number, data: Uint8Array): string {
  const [first] = data;
  if (first === undefined) return `Improv: an empty packet of type ${type}`;
  switch (type) {
    case PacketType.state:
      return `Improv: ${states[first] ?? `state ${first}`}`;
    case PacketType.error:
      return `Improv: ${errors[first] ?? `error ${first}`}`;
    case PacketType.command:
      return `Improv: asked to ${commands[first] ?? `do ${first}`}`;
    case PacketType.result:
      return `Improv: answers to "${commands[first] ?? first}" (${data.length} bytes)`;
    default:
      return `Improv: a packet of type ${type} (${data.length} bytes)`;
  }
}

const states: Readonly<Record<number, string>> = {
  [State.authorizationRequired]: "waits for its button",
  [State.authorized]: "ready for Wi-Fi credentials",
  [State.provisioning]: "tries the Wi-Fi credentials",
  [State.provisioned]: "is in its Wi-Fi",
};

const errors: Readonly<Record<number, string>> = {
  [ErrorState.none]: "no error",
  [ErrorState.invalid]: "the command was malformed",
  [ErrorState.unknownCommand]: "it does not know that command",
  [ErrorState.unableToConnect]: "it can't join that Wi-Fi",
  [ErrorState.notAuthorized]: "not authorized",
  [ErrorState.badHostname]: "no name that it can take",
  [ErrorState.unknown]: "an error that it does not name",
};

const commands: Readonly<Record<number, string>> = {
  [Command.sendWifi]: "take Wi-Fi credentials",
  [Command.currentState]: "tell its state",
  [Command.deviceInfo]: "tell what it is",
  [Command.scan]: "look for Wi-Fis",
  [Command.hostname]: "tell or take its host name",
  [Command.deviceName]: "tell or take its name",
  [Command.networkState]: "tell its network's state",
  [Command.give]: "take its identity",
};
