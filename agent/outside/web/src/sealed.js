// Sealed files: standard age v1 (https://age-encryption.org/v1) around a tar with one member, or any other content.
// Nothing of a document is handed out before its last byte is authenticated.
import { Decrypter } from "age-encryption";

const MAX_HEADER = 64 * 1024; // bytes
const MAX_STANZAS = 256;
const MAX_LOG_N = 20; // scrypt: 2^20 is a gigabyte; what asks for more is hostile
const GATHER = 8 << 20; // bytes held before they go into a Blob

export class Refused extends Error {
  constructor(why) {
    super(why);
    this.why = why; // a key of words.js
  }
}

// « as typed » without what people vary: case, accents, spaces and hyphens
export function normalised(phrase) {
  const plain = phrase.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean).join("-");
}

// What the header asks for: "scrypt" (a phrase) or "key". Throws Refused.
export async function kindOf(blob) {
  const head = new Uint8Array(await blob.slice(0, MAX_HEADER).arrayBuffer());
  const text = Array.from(head, (byte) => String.fromCharCode(byte)).join("");
  if (!text.startsWith("age-encryption.org/v1\n")) throw new Refused("notSealed");
  const end = text.indexOf("\n--- ");
  if (end < 0) throw new Refused(text.length < MAX_HEADER ? "damaged" : "tooHard");
  const stanzas = text.slice(0, end).split("\n").filter((line) => line.startsWith("-> "));
  if (stanzas.length > MAX_STANZAS) throw new Refused("tooHard");
  const phrase = stanzas.find((line) => line.startsWith("-> scrypt "));
  if (!phrase) return "key";
  const cost = phrase.split(" ")[3];
  if (!/^[1-9][0-9]?$/.test(cost ?? "")) throw new Refused("damaged");
  if (Number(cost) > MAX_LOG_N) throw new Refused("tooHard");
  return "scrypt";
}

// The secret keys of an identity file that is sealed under a phrase. Throws Refused.
export async function unlock(blob, phrase) {
  if ((await kindOf(blob)) !== "scrypt" || blob.size > MAX_HEADER) throw new Refused("notSealed");
  const opener = new Decrypter();
  opener.addPassphrase(phrase);
  let text;
  try {
    text = await opener.decrypt(new Uint8Array(await blob.arrayBuffer()), "text");
  } catch (error) {
    throw new Refused(noMatch(error) ? "wrongPhrase" : "damaged");
  }
  const keys = text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line.startsWith("AGE-SECRET-KEY-"));
  if (!keys.length) throw new Refused("damaged");
  return keys;
}

// {name, blob} of one sealed file; name is null when it holds no tar. Throws Refused.
export async function openSealed(file, keys, phrase, progress) {
  const kind = await kindOf(file);
  const opener = new Decrypter();
  if (kind === "scrypt") opener.addPassphrase(phrase);
  else for (const key of keys) opener.addIdentity(key);
  if (kind === "key" && !keys.length) throw new Refused("noKey");
  let plain;
  try {
    plain = await gathered(await opener.decrypt(file.stream()), file.size, progress);
  } catch (error) {
    throw new Refused(noMatch(error) ? (kind === "scrypt" ? "wrongPhrase" : "notForYou") : "damaged");
  }
  return unpacked(plain);
}

function noMatch(error) {
  return /no identity matched/i.test(String(error && error.message));
}

async function gathered(stream, size, progress) {
  const reader = stream.getReader();
  const parts = [];
  let held = [], waiting = 0, all = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob([...parts, ...held]);
    held.push(value);
    waiting += value.length;
    all += value.length;
    if (waiting >= GATHER) {
      parts.push(new Blob(held)); // a Blob may leave the memory
      held = [];
      waiting = 0;
      progress(Math.min(99, Math.floor((100 * all) / size)));
    }
  }
}

// GNU tar with one member, its name as bytes, possibly behind a long-name record
async function unpacked(blob) {
  let at = 0, name = null;
  for (let records = 0; records < 4; records++) {
    const head = new Uint8Array(await blob.slice(at, at + 512).arrayBuffer());
    if (!isTar(head)) return { name: null, blob };
    const size = number(head.subarray(124, 136));
    const type = String.fromCharCode(head[156]);
    if (size === null || at + 512 + size > blob.size) throw new Refused("damaged");
    if (type === "L" && size <= 4096) {
      name = cut(new Uint8Array(await blob.slice(at + 512, at + 512 + size).arrayBuffer()));
      at += 512 + Math.ceil(size / 512) * 512;
      continue;
    }
    if (type !== "0" && type !== "\0") throw new Refused("damaged");
    return { name: plainName(decoded(name ?? cut(head.subarray(0, 100)))), blob: blob.slice(at + 512, at + 512 + size) };
  }
  throw new Refused("damaged");
}

function isTar(head) {
  if (head.length < 512 || String.fromCharCode(...head.subarray(257, 262)) !== "ustar") return false;
  let sum = 0;
  for (let i = 0; i < 512; i++) sum += i >= 148 && i < 156 ? 32 : head[i];
  return number(head.subarray(148, 156)) === sum;
}

function number(field) {
  if (field[0] & 0x80) return field.subarray(1).reduce((sum, byte) => sum * 256 + byte, field[0] & 0x7f);
  const text = String.fromCharCode(...field).replace(/[\0 ]+$/, "").trim();
  return /^[0-7]+$/.test(text) ? parseInt(text, 8) : null;
}

function cut(bytes) {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

function decoded(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("windows-1252").decode(bytes);
  }
}

// One component that can be shown and saved: no folder, no control or direction-changing characters
function plainName(name) {
  const last = name.split("/").pop().replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "�").trim();
  return last === "" || last === "." || last === ".." ? "document" : last;
}
