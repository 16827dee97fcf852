// node age.mjs seal RECIPIENT... | open IDENTITY: standard input to standard output, with the JavaScript age.
import { readFileSync, writeFileSync } from "node:fs";
import { Decrypter, Encrypter } from "age-encryption";

const [act, ...words] = process.argv.slice(2);
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
