// node build.mjs: builds dist/, all static files of the page. serve/single_file.py inserts a model into dist/one_file.html.
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { build } from "esbuild";
import { drawIcon } from "./icon.mjs";

const HERE = import.meta.dirname;
const DIST = join(HERE, "dist");
const SHIPPED = join(HERE, "..", "shipped");
const LITERT = join(HERE, "node_modules", "@litertjs", "core", "wasm");
const OPTIONS = {
  absWorkingDir: HERE,
  bundle: true,
  minify: true,
  charset: "utf8", // a Chinese character has 3 bytes then, and 6 as an escape
  target: "es2022",
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  legalComments: "eof",
  logLevel: "warning",
  metafile: true,
};

const building = `${DIST}.${process.pid}`; // renamed to dist when it is complete
rmSync(building, { recursive: true, force: true });
mkdirSync(building);
const workers = await bundleWorkers(building);
await bundle(building);
writeIcons(building);
writeModels(building);
writeWorker(building);
await writeOneFile(building);
mkdirSync(join(building, "litert"));
for (const name of ["litert_wasm_compat_internal.js", "litert_wasm_compat_internal.wasm"]) {
  cpSync(join(LITERT, name), join(building, "litert", name));
}
rmSync(DIST, { recursive: true, force: true });
renameSync(building, DIST);

/** The workers, as files and as texts for the one-file page, which may have no other file: name -> {file, text}. */
async function bundleWorkers(outdir) {
  const entryPoints = { train: "train/worker.js", map: "map/worker.js" };
  const { outputFiles } = await build({ ...OPTIONS, entryPoints, entryNames: "worker-[name]-[hash]", outdir, format: "iife", write: false, metafile: false });
  return Object.fromEntries(Object.keys(entryPoints).map((name) => {
    const made = outputFiles.find(({ path }) => basename(path).startsWith(`worker-${name}-`));
    writeFileSync(made.path, made.contents);
    return [name, { file: basename(made.path), text: made.text }];
  }));
}

/** What esbuild puts in place of WORKERS, which workers.js reads. */
function workersAs(part) {
  return JSON.stringify(Object.fromEntries(Object.entries(workers).map(([name, made]) => [name, made[part]])));
}

async function bundle(outdir) {
  const { metafile } = await build({
    ...OPTIONS,
    entryPoints: ["main.js", "style.css"],
    outdir,
    format: "esm",
    splitting: true,
    define: { ONE_FILE: "false", WORKERS: workersAs("file") },
    loader: { ".wasm": "file" },
  });
  const made = Object.entries(metafile.outputs).filter(([, { entryPoint }]) => entryPoint);
  const file = (entry) => basename(made.find(([, { entryPoint }]) => entryPoint === entry)[0]);
  const head = `<link rel="manifest" href="manifest.webmanifest">
    <link rel="icon" href="icon-64.png" type="image/png">
    <link rel="apple-touch-icon" href="icon-192.png">
    <link rel="stylesheet" href="${file("style.css")}">
    <script type="module" src="${file("main.js")}"></script>`;
  writeFileSync(join(outdir, "index.html"), fill(template(), { head, end: "" }));
}

/** The page with all it needs inside but the model and the images, whose placeholders serve/single_file.py replaces. */
async function writeOneFile(folder) {
  const inside = { define: { ONE_FILE: "true", WORKERS: workersAs("text") }, plugins: [{ name: "packed", setup: packWasm }] };
  const options = { ...OPTIONS, ...inside, write: false, outdir: folder, metafile: false };
  const { outputFiles: [script] } = await build({ ...options, entryPoints: ["main.js"], format: "iife" });
  const { outputFiles: [style] } = await build({ ...options, entryPoints: ["style.css"] });
  if (/<\/(script|style)/i.test(script.text + style.text)) throw new Error("the bundle contains </script> or </style>, which would end its own element");
  const icon = readFileSync(join(folder, "icon-64.png")).toString("base64");
  writeFileSync(join(folder, "one_file.html"), fill(template(), {
    head: `<meta http-equiv="Content-Security-Policy" content="${policyOf(script.text, style.text)}">
    <link rel="icon" href="data:image/png;base64,${icon}">\n    <style>${style.text}</style>`,
    end: `<script id="model" type="application/json"><!-- model --></script>
    <script id="images" type="text/plain"><!-- images --></script>
    <script id="finder" type="application/json">${finderInside()}</script>
    <script>${script.text}</script>`,
  }));
}

/** What the one-file page may do: run this script and this style, and the worker inside it; it can ask no one for anything. */
function policyOf(script, style) {
  const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  return `default-src 'none'; script-src ${hash(script)} 'wasm-unsafe-eval'; style-src ${hash(style)}; img-src blob: data:; `
    + "media-src blob:; connect-src blob:; worker-src blob:; base-uri 'none'; form-action 'none'";
}

/** An imported .wasm file becomes its bytes: packed by deflate, as a text in base64. */
function packWasm({ onLoad }) {
  onLoad({ filter: /\.wasm$/ }, ({ path }) => (
    { contents: deflateRawSync(readFileSync(path), { level: 9 }).toString("base64"), loader: "text" }));
}

/** The networks that find digits, as openShippedFinder() of model.js reads them. */
function finderInside() {
  const embedded = (name) => {
    const json = JSON.parse(readFileSync(join(SHIPPED, name, "model.json"), "utf8"));
    const paths = json.weightsManifest.flatMap((group) => group.paths);
    const weights = Buffer.concat(paths.map((path) => readFileSync(join(SHIPPED, name, path)))).toString("base64");
    return { json, weights };
  };
  return JSON.stringify({ detector: embedded("detector.tfjs"), reader: embedded("reader.tfjs") }).replaceAll("<", "\\u003c");
}

function template() {
  const part = (_, name) => readFileSync(join(HERE, name), "utf8").trim();
  return readFileSync(join(HERE, "index.html"), "utf8").replace(/<!-- (\w+\/\w+\.html) -->/g, part);
}

function fill(html, parts) {
  return html.replace(/<!-- (head|end) -->/g, (_, name) => parts[name]);
}

function writeIcons(folder) {
  for (const size of [64, 192, 512]) writeFileSync(join(folder, `icon-${size}.png`), drawIcon(size));
  const icons = [192, 512].flatMap((size) => ["any", "maskable"].map((purpose) => (
    { src: `icon-${size}.png`, sizes: `${size}x${size}`, type: "image/png", purpose })));
  const manifest = {
    name: "Hello MNIST",
    short_name: "Hello MNIST",
    description: "Draw a number; networks on your own device read it.",
    start_url: "./",
    scope: "./",
    display: "standalone",
    background_color: "#f6f6f3",
    theme_color: "#2353c8",
    icons,
  };
  writeFileSync(join(folder, "manifest.webmanifest"), JSON.stringify(manifest));
}

/** The shipped networks, and the list of models for static hosting; `hello-mnist serve` answers /models itself. */
function writeModels(folder) {
  for (const name of ["detector.tfjs", "reader.tfjs"]) cpSync(join(SHIPPED, name), join(folder, "shipped", name), { recursive: true });
  const models = [];
  const size = (path) => (statSync(path).isDirectory() ? readdirSync(path).reduce((sum, name) => sum + size(join(path, name)), 0) : statSync(path).size);
  for (const [name, format, url] of [["digits.tfjs", "tfjs", "shipped/digits.tfjs/model.json"], ["digits.tflite", "tflite", "shipped/digits.tflite"]]) {
    if (!existsSync(join(SHIPPED, name))) continue;
    cpSync(join(SHIPPED, name), join(folder, "shipped", name), { recursive: true });
    models.push({ name: "digits", format, bytes: size(join(SHIPPED, name)), url, shipped: true });
  }
  writeFileSync(join(folder, "models"), JSON.stringify(models));
}

/** The version of the service worker is a hash of all files, so that a new build is a new version. */
function writeWorker(folder) {
  const names = readdirSync(folder).filter((name) => statSync(join(folder, name)).isFile() && name !== "models").sort();
  // LiteRT and ONNX Runtime are cached when they are first used.
  const files = names.filter((name) => !/^(litert|onnx|ort)-/.test(name) && name !== "index.html");
  const hash = createHash("sha256");
  const source = readFileSync(join(HERE, "sw.js"), "utf8");
  for (const name of names) hash.update(name).update(readFileSync(join(folder, name)));
  const version = `hello-mnist-${hash.update(source).digest("hex").slice(0, 12)}`;
  writeFileSync(join(folder, "sw.js"), source.replace("%VERSION%", version).replace('"%FILES%"', JSON.stringify(files)));
}
