/** `covey keys`: who belongs to a swarm, and with which rights. */
import { Option } from "commander";
import { roles } from "../../../protocols/security/identity/identity.ts";
import { Failed, WrongInput } from "../failure.ts";
import type { KeyOptions } from "../keys/place.ts";
import { swarmOptions } from "../swarm-client.ts";
import type { Terminal } from "../terminal.ts";
import type { Verb } from "../verb.ts";

export const keys: Verb<KeyOptions> = {
  usage: "keys [action] [names...]",
  summary: "issue, list and revoke the identities of hosts, boards and people",
  details:
    "Actions: init (a root of trust, once for a swarm), issue [NAME...] (those of swarm.ts that have none yet, or these), list, show [NAME], revoke NAME..., rotate (new group keys and fresh sessions; with --all new identities for everybody), push (tell the swarm what it does not know yet). The root's passphrase is asked for, or read from --passphrase-file or COVEY_PASSPHRASE.",
  examples: [
    "covey keys init",
    "covey keys issue",
    "covey keys issue anna --role operator --scope 'fan.*:rw,*:r'",
    "covey keys issue main --address leader.local,192.0.2.7",
    "covey keys list",
    "covey keys revoke north-2 --why 'stolen'",
  ],
  options: [
    new Option(
      "--role <role>",
      "of those who are issued an identity; swarm.ts says it for hosts and boards",
    ).choices(roles),
    new Option(
      "--scope <scope>",
      "what they may read, write, command and update, such as 'fan.*:rw,north-1:c'; what the role may if not said",
    ),
    new Option(
      "--address <addresses>",
      "names and IP addresses of a host for its certificate, beside localhost; a comma between them",
    ),
    new Option("--why <text>", "for the ledger: why somebody is revoked"),
    new Option("--all", "rotate: issue everybody anew"),
    new Option("--keys <folder>", "the folder of the root's keys, if not the one in --state"),
    new Option("--passphrase-file <file>", "its first line is the root's passphrase"),
    new Option("--file <file>", "the swarm file; swarm.ts if not said"),
    ...swarmOptions(),
  ],
  async run(terminal, options, args) {
    const [action, names = []] = args as unknown as [string, string[] | undefined];
    const { KeyError } = await import("../../keys/key-error.ts");
    const { MemberFileError } = await import("../../security/member-file.ts");
    try {
      await act(terminal, options, action, names);
      return 0;
    } catch (error) {
      if (error instanceof MemberFileError) throw new Failed(error.message, "member-file");
      if (!(error instanceof KeyError)) throw error;
      throw new Failed(error.message, error.code, inputCodes.has(error.code) ? 2 : 1);
    } finally {
      terminal.endProgress();
    }
  },
};

const inputCodes: ReadonlySet<string> = new Set([
  ...["wrong-input", "wrong-passphrase", "name-taken"],
  ...["no-such-identity", "already-revoked", "keys-exist"],
]);

async function act(
  terminal: Terminal,
  options: KeyOptions,
  action: string | undefined,
  names: readonly string[],
): Promise<void> {
  if (names.length > 0 && ["init", "rotate", "push", "list"].includes(action!)) {
    throw new WrongInput(`covey keys ${action} takes no names.`);
  }
  switch (action) {
    case "init":
      return (await import("../keys/init.ts")).initKeys(terminal, options);
    case "issue":
      return (await import("../keys/issue.ts")).issueKeys(terminal, options, names);
    case "list":
      return (await import("../keys/list.ts")).listKeys(terminal, options);
    case "show":
      return (await import("../keys/list.ts")).showKeys(terminal, options, names);
    case "revoke":
      return (await import("../keys/revoke.ts")).revokeKeys(terminal, options, names);
    case "rotate":
      return (await import("../keys/revoke.ts")).rotateKeys(terminal, options);
    case "push":
      return (await import("../keys/revoke.ts")).pushKeys(terminal, options);
    case undefined:
      throw new WrongInput(
        "Say what to do: covey keys init, issue, list, show, revoke, rotate or push; see covey keys --help.",
      );
    default:
      throw new WrongInput(
        `There is no action ${action}; use init, issue, list, show, revoke, rotate or push.`,
      );
  }
}
