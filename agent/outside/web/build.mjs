// Bundles src/ into one HTML file whose content security policy names the hashes of its only script and style.
// node build.mjs [OUT]   (default ../ouvrir.html; the same sources give the same bytes)
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const here = (name) => new URL(name, import.meta.url).pathname;
const bundle = await build({
  entryPoints: [here("src/main.js")], bundle: true, minify: true, write: false, format: "iife", target: "es2022",
  charset: "ascii", legalComments: "none",
});
const script = bundle.outputFiles[0].text.trimEnd().replaceAll("</script", "<\\/script");
const style = readFileSync(here("src/style.css"), "utf8").trimEnd();
const hash = (text) => "'sha256-" + createHash("sha256").update(text).digest("base64") + "'";
const policy = `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src blob:; ` +
  "form-action 'none'; base-uri 'none'";
// whoever passes the page on passes on what these licences ask for: a comment behind the page, which nothing reads
const notices = readFileSync(here("LICENSES.txt"), "utf8").trimEnd();
if (notices.includes("--")) throw new Error("two hyphens in LICENSES.txt would end the comment");
// functions as replacements: a « $& » in the script is no pattern
const page = readFileSync(here("src/page.html"), "utf8")
  .replace("@policy@", () => policy).replace("@style@", () => style).replace("@script@", () => script)
  .replace("@notices@", () => notices);
writeFileSync(process.argv[2] ?? here("../ouvrir.html"), page);
