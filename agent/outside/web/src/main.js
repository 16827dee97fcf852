// The page: choose, type the phrase, open, save. What it shows comes from words.js, what it opens from sealed.js.
import { fill, WORDS } from "./words.js";
import { kindOf, normalised, openSealed, Refused, unlock } from "./sealed.js";

const $ = (id) => document.getElementById(id);
const TYPES = {
  pdf: "application/pdf", png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp",
  bmp: "image/bmp", txt: "text/plain", csv: "text/plain", md: "text/plain", log: "text/plain",
};
const SHOWN_TEXT = 1 << 20; // bytes
const held = JSON.parse($("held").textContent);
let language = held.language ?? ((navigator.language || "fr").toLowerCase().startsWith("fr") ? "fr" : "en");
let results = [];
let said = { status: null, problem: null };
let urls = [];

const say = (key, values) => fill(WORDS[language][key], values);
const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

function counted(key, count) {
  return fill(WORDS[language][key][count === 1 ? "one" : "many"], { count });
}

function tell(where, make) {
  said[where] = make;
  $(where).textContent = make ? make() : "";
}

function translate(to) {
  language = to;
  document.documentElement.lang = to;
  document.title = say("title");
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = say(element.dataset.say);
  for (const button of document.querySelectorAll("[data-language]")) {
    button.setAttribute("aria-pressed", String(button.dataset.language === to));
  }
  if (carried.length) document.querySelector("label[for=phrase]").textContent = say("phraseOnly");
  for (const where of Object.keys(said)) tell(where, said[where]);
  list();
}

function sizeOf(bytes) {
  const shown = (value) => value.toLocaleString(language, { maximumFractionDigits: 1 });
  if (bytes < 1000) return say("bytes", { size: shown(bytes) });
  if (bytes < 1e6) return say("kilobytes", { size: shown(bytes / 1000) });
  return say("megabytes", { size: shown(bytes / 1e6) });
}

const extension = (name) => (/\.([a-z0-9]{1,8})$/i.exec(name)?.[1] ?? "").toLowerCase();

function url(blob) {
  const made = URL.createObjectURL(blob);
  urls.push(made);
  return made;
}

function element(kind, text, attributes = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function button(short, long, name, act) {
  const made = element("button", say(short), { type: "button", "aria-label": say(long, { name }) });
  made.addEventListener("click", act);
  return made;
}

function list() {
  $("list").replaceChildren(...results.map(item));
  $("results").hidden = results.length === 0;
}

function item(result) {
  const line = document.createElement("li");
  if (result.why) {
    line.append(element("p", `${result.source} ${say(result.why)}.`, { class: "failed" }));
    return line;
  }
  const name = element("p", "");
  name.append(element("strong", result.name), ` · ${sizeOf(result.blob.size)}`);
  line.append(name, button("saveShort", "save", result.name, () => save(result)));
  if (TYPES[extension(result.name)]) line.append(button("seeShort", "see", result.name, () => see(result)));
  return line;
}

function save(result) {
  const link = element("a", "", { href: url(new Blob([result.blob], { type: "application/octet-stream" })) });
  link.download = result.name;
  link.click();
  tell("status", () => say("remember"));
}

// Pictures and text in the page, a PDF in the browser's own viewer. Nothing that could run a script is ever shown.
async function see(result) {
  const type = TYPES[extension(result.name)];
  const blob = new Blob([result.blob], { type });
  if (type === "application/pdf") {
    const link = element("a", "", { href: url(blob), target: "_blank", rel: "noopener" });
    link.click();
    return;
  }
  const title = element("h2", say("preview", { name: result.name }), { tabindex: "-1" });
  const close = element("button", say("close"), { type: "button" });
  close.addEventListener("click", () => $("shown").replaceChildren());
  let view;
  if (type.startsWith("image/")) {
    view = element("img", "", { src: url(blob), alt: result.name });
  } else {
    const text = await decodedText(result.blob.slice(0, SHOWN_TEXT));
    view = element("pre", text + (result.blob.size > SHOWN_TEXT ? "\n" + say("cut") : ""), { tabindex: "0" });
  }
  $("shown").replaceChildren(title, close, view);
  title.focus();
}

async function decodedText(blob) {
  const bytes = new Uint8Array(await blob.arrayBuffer());
  const wide = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "";
  const text = new TextDecoder(wide || "utf-8").decode(bytes);
  return !wide && text.slice(0, -3).includes("�") ? new TextDecoder("windows-1252").decode(bytes) : text;
}

const carried = (held.files ?? []).map(({ name, data }) => new File([bytesOf(data)], name));
const identity = held.identity ? new Blob([bytesOf(held.identity)]) : null;
let chosen = [];

// A picked file is an identity when a phrase opens it and it is small; a document otherwise.
async function sorted(files) {
  const identities = identity ? [identity] : [], documents = [];
  for (const file of files) {
    const kind = await kindOf(file).catch(() => "");
    if (kind === "scrypt" && file.size < 4096 && /^identit[eéy]/i.test(file.name)) identities.push(file);
    else documents.push(file);
  }
  return { identities, documents };
}

async function keysOf(identities, phrases) {
  const keys = [];
  let wrong = null;
  for (const blob of identities) {
    for (const phrase of phrases) {
      try {
        keys.push(...(await unlock(blob, phrase)));
        break;
      } catch (error) {
        wrong = error instanceof Refused ? error : new Refused("damaged");
      }
    }
  }
  if (!keys.length && wrong) throw wrong;
  return keys;
}

async function openOne(file, keys, phrases) {
  let why = "damaged";
  for (const phrase of phrases) {
    try {
      const opened = await openSealed(file, keys, phrase, (percent) => tell("status", () => say("working", { name: file.name, percent })));
      return { name: opened.name ?? file.name.replace(/\.age$/i, "") ?? "document", blob: opened.blob };
    } catch (error) {
      why = error instanceof Refused ? error.why : "damaged";
      if (why !== "wrongPhrase") break;
    }
  }
  return { source: file.name, why: why === "wrongPhrase" ? "notForYou" : why };
}

async function openAll() {
  const files = carried.length ? carried : chosen;
  const typed = $("phrase").value.trim();
  if (!files.length) return tell("problem", () => say("noFiles"));
  if (!typed) return tell("problem", () => say("noPhrase"));
  const phrases = [...new Set([normalised(typed), typed])].filter(Boolean);
  tell("status", () => say("unlocking"));
  const { identities, documents } = await sorted(files);
  if (!documents.length) return tell("problem", () => say("noFiles"));
  const keys = await keysOf(identities, phrases);
  const found = [];
  for (const file of documents) {
    tell("status", () => say("working", { name: file.name, percent: 0 }));
    found.push(await openOne(file, keys, phrases));
  }
  results = found;
  list();
  report(found);
}

function report(found) {
  const failed = found.filter((result) => result.why).length;
  const opened = found.length - failed;
  tell("status", opened ? () => counted("done", opened) + " " + say("remember") : null);
  tell("problem", failed ? () => counted("someFailed", failed) : null);
}

function forget() {
  for (const made of urls) URL.revokeObjectURL(made);
  urls = [];
  results = [];
  $("shown").replaceChildren();
  list();
}

$("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  forget();
  tell("problem", null);
  $("open").disabled = true;
  try {
    await openAll();
  } catch (error) {
    tell("problem", () => say(error instanceof Refused ? error.why : "damaged"));
  }
  if (said.problem) tell("status", results.some((result) => !result.why) ? said.status : null);
  $("open").disabled = false;
});
$("files").addEventListener("change", () => { chosen = [...$("files").files]; });
$("show").addEventListener("change", () => { $("phrase").type = $("show").checked ? "text" : "password"; });
for (const name of ["dragover", "dragleave", "drop"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    document.body.classList.toggle("over", name === "dragover" && !carried.length);
    if (name === "drop" && !carried.length && event.dataTransfer.files.length) {
      chosen = [...event.dataTransfer.files];
      $("files").files = event.dataTransfer.files;
    }
  });
}
for (const choice of document.querySelectorAll("[data-language]")) {
  choice.addEventListener("click", () => translate(choice.dataset.language));
}
if (carried.length) $("choose").hidden = true;
translate(language);
