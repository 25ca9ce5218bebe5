/** Boards as they are plugged in, one after the other. */
import { expect, test } from "vitest";
import { pluggedIn } from "../../../host-tools/provisioner/plugged-in.ts";

test("what is there comes first, once; what went away and came back comes again", async () => {
  const looks = [["a", "b"], ["a", "b"], ["a"], ["a", "b"], ["a", "b", "c"], []];
  const ended = new AbortController();
  const attached = async () => {
    const look = looks.shift();
    if (look === undefined) ended.abort();
    return look ?? [];
  };
  const came: string[] = [];
  for await (const port of pluggedIn(attached, ended.signal)) came.push(port);
  expect(came).toEqual(["a", "b", "b", "c"]);
});
