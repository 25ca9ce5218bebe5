/** What a board on `lin` is given in a proof. */
import { type StoredValues, valuesOf } from "../../../../../host-tools/provisioner/board-settings.ts";
import type { MemberSecrets } from "../../../../../host-tools/security/member-file.ts";
import { parseHosts } from "../../../../../protocols/messages/host-address.ts";

/** @param hosts as on a command line */
export function givenValues(member: MemberSecrets, hosts = "main=127.0.0.1:1"): StoredValues {
  const contact = {
    number: 0,
    wifi: { ssid: "lin", password: "" },
    hosts: parseHosts(hosts)!,
    timeServer: undefined,
  };
  return valuesOf({ member, authority: member.authority, contactKey: new Uint8Array(16), contact });
}
