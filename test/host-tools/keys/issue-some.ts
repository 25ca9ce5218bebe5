/** A process that issues boards, one at a time: `issue-some.ts FOLDER PREFIX COUNT`. */
import { issueMembers } from "../../../host-tools/keys/issue.ts";
import { KeyFolder } from "../../../host-tools/keys/key-folder.ts";

const [path, prefix, count] = process.argv.slice(2);
const folder = KeyFolder.open(path!);
const keys = await folder.unlock();
for (let i = 0; i < Number(count); i++) {
  issueMembers(folder, keys, [{ name: `${prefix}-${i}`, role: "board" }], Date.now());
}
