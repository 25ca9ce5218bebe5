/** `covey keys list` and `show`: who has which identity. */
import { X509Certificate } from "node:crypto";
import type { KeyFolder } from "../../keys/key-folder.ts";
import { epochOf, type Ledger, type LedgerEntry, latestOf, standingOf } from "../../keys/ledger.ts";
import { formatScope } from "../../keys/scope-text.ts";
import { WrongInput } from "../failure.ts";
import { type Cell, cell, table } from "../live-view/table.ts";
import type { Terminal } from "../terminal.ts";
import { dueText } from "./delivery.ts";
import { type KeyOptions, openKeys, shownPath } from "./place.ts";

export async function listKeys(terminal: Terminal, options: KeyOptions): Promise<void> {
  const { folder, isSimulated } = await openKeys(terminal, options);
  const ledger = folder.ledger();
  for (const line of lines(folder, ledger, terminal)) terminal.line(line);
  terminal.result({
    swarm: folder.swarm,
    folder: folder.path,
    simulated: isSimulated,
    epoch: epochOf(ledger),
    roster: ledger.roster,
    identities: ledger.entries.map((entry) => detailsOf(folder, ledger, entry)),
  });
}

/** Of one name, or of the root. */
export async function showKeys(
  terminal: Terminal,
  options: KeyOptions,
  names: readonly string[],
): Promise<void> {
  if (names.length > 1) throw new WrongInput("Say one name: covey keys show north-1.");
  const { folder } = await openKeys(terminal, options);
  const [name] = names;
  if (name === undefined) return showRoot(terminal, folder);
  const { NoSuchIdentity } = await import("../../keys/key-error.ts");
  const ledger = folder.ledger();
  const entry = latestOf(ledger, name);
  if (entry === undefined) throw new NoSuchIdentity(name);
  const { standing, file } = detailsOf(folder, ledger, entry);
  const { role, kid, scope, epoch, issuedAt, addresses, revoked } = entry;
  terminal.line(`${name}: ${role}, ${standingText(standing, entry)}`);
  terminal.line(`  reference  ${kid}`);
  terminal.line(`  scope      ${formatScope(scope)}`);
  terminal.line(`  issued     ${issuedAt}, in epoch ${epoch}`);
  if (addresses !== undefined) terminal.line(`  reached    ${addresses.join(", ")}`);
  if (revoked !== undefined)
    terminal.line(`  revoked    ${revoked.at}, in epoch ${revoked.epoch}: ${revoked.why}`);
  terminal.line(`  file       ${file === null ? "not here" : shownPath(file)}`);
  terminal.result(detailsOf(folder, ledger, entry));
}

function showRoot(terminal: Terminal, { swarm, path, root, authority, isSealed }: KeyFolder): void {
  const certificate = new X509Certificate(authority);
  const rootText = Buffer.from(root).toString("base64url");
  terminal.line(`${swarm}: root of trust in ${shownPath(path)}${isSealed ? ", under a passphrase" : ""}`);
  terminal.line(`  root       ${rootText}`);
  terminal.line(
    `  authority  ${certificate.fingerprint256}, until ${certificate.validToDate.toISOString().slice(0, 10)}`,
  );
  terminal.line("The authority's certificate, for browsers and others that reach a host over TLS:");
  terminal.line(certificate.toString().trimEnd());
  terminal.result({
    swarm,
    folder: path,
    root: rootText,
    sealed: isSealed,
    authority: {
      der: Buffer.from(authority).toString("base64url"),
      pem: certificate.toString(),
      sha256: certificate.fingerprint256,
    },
  });
}

function detailsOf(folder: KeyFolder, ledger: Ledger, entry: LedgerEntry) {
  const isLatest = latestOf(ledger, entry.name) === entry;
  const file = isLatest && folder.hasIssued(entry.name) ? folder.issuedPath(entry.name) : null;
  return { ...entry, standing: standingOf(ledger, entry), file };
}

function lines(folder: KeyFolder, ledger: Ledger, terminal: Terminal): string[] {
  if (ledger.entries.length === 0) {
    return [`${folder.swarm} has a root, and nobody was issued an identity yet; covey keys issue does that.`];
  }
  const width = terminal.interactive ? terminal.columns : 240;
  const rows = ledger.entries.map((entry) => cellsOf(folder, ledger, entry));
  const paint = (style: Parameters<Terminal["style"]>[0], text: string) => terminal.style(style, text);
  const shown = table(columns, rows, width, paint).map((line) => line.trimEnd());
  const due = dueText(ledger);
  return [
    ...shown,
    "",
    `${folder.swarm} is in epoch ${epochOf(ledger)}.`,
    ...(due === undefined ? [] : [due]),
  ];
}

const columns = [
  { title: "name", min: 4, max: 32 },
  { title: "role", min: 5, max: 8 },
  { title: "reference", min: 16, max: 16, dropBelow: 90 },
  { title: "scope", min: 5, max: 60, yields: true },
  { title: "epoch", min: 5, max: 6, align: "right" as const },
  { title: "issued", min: 10, max: 10 },
  { title: "file", min: 4, max: 4 },
  { title: "", min: 0, max: 60, yields: true },
];

function cellsOf(folder: KeyFolder, ledger: Ledger, entry: LedgerEntry): Cell[] {
  const { standing, file } = detailsOf(folder, ledger, entry);
  const { name, role, kid, scope, epoch, issuedAt } = entry;
  const belongs = standing === "belongs";
  return [
    cell(name, belongs ? "bold" : "dim"),
    cell(role),
    cell(kid, "dim"),
    cell(formatScope(scope)),
    cell(String(epoch)),
    cell(issuedAt.slice(0, 10)),
    cell(file === null ? "-" : "here"),
    cell(belongs ? "" : standingText(standing, entry), standing === "revoked" ? "red" : "dim"),
  ];
}

function standingText(standing: ReturnType<typeof standingOf>, { revoked }: LedgerEntry): string {
  if (standing === "revoked") return `revoked ${revoked!.at.slice(0, 10)}: ${revoked!.why}`;
  return standing === "replaced" ? "replaced by a new one" : "belongs";
}
