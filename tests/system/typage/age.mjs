// node age.mjs seal RECIPIENT... | open IDENTITY: standard input to standard output, with the JavaScript age.
// stream-seal and stream-open: the same, without ever holding the whole.
import { readFileSync, writeFileSync } from "node:fs";
import { Readable, Writable } from "node:stream";
import { Decrypter, Encrypter } from "age-encryption";

const [act, ...words] = process.argv.slice(2);
if (act.startsWith("stream-")) {
  const coder = act === "stream-seal" ? new Encrypter() : new Decrypter();
  for (const word of words) act === "stream-seal" ? coder.addRecipient(word) : coder.addIdentity(word);
  const source = Readable.toWeb(process.stdin);
  const coded = await (act === "stream-seal" ? coder.encrypt(source) : coder.decrypt(source));
  await coded.pipeTo(Writable.toWeb(process.stdout));
  process.exit(0);
}
const input = new Uint8Array(readFileSync(0));
if (act === "seal") {
  const encrypter = new Encrypter();
  for (const word of words) encrypter.addRecipient(word);
  writeFileSync(1, await encrypter.encrypt(input));
} else {
  const decrypter = new Decrypter();
  for (const word of words) act === "phrase" ? decrypter.addPassphrase(word) : decrypter.addIdentity(word);
  writeFileSync(1, await decrypter.decrypt(input));
}
