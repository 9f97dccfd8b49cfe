// The page: what is drawn or chosen goes to the network, and what it answers goes to the view.
import { createPad } from "./drawing.js";
import { install } from "./install.js";
import { drawByKeys } from "./keyboard.js";
import { listModels, openModel, read } from "./model.js";
import { acceptPictures, pixelsOf } from "./photo.js";
import { frame, rgbToGrey, prepare } from "./prepare.js";
import { announce, makeBars, showAnswer, showBars, showLayers, showSeen } from "./view.js";
import { showModels, showTime } from "./models.js";
import { startLanguage, switchLanguage, words } from "./words.js";

const byId = (id) => document.getElementById(id);
const canvas = byId("pad");
let model = null;
let entry = null;
let stale = false; // what is shown is not yet what the network makes of the drawing
let working = null; // the promise that it soon will be
let spoken = true;

/** The model that answers now: tests run it on many pictures. */
export const currentModel = () => model;
export { rgbToGrey, prepare };

function drawn() {
  byId("hint").hidden = !pad.isEmpty();
  later();
}

function later() {
  stale = true;
  byId("result").ariaBusy = "true";
  working ??= catchUp();
}

async function catchUp() {
  while (stale) {
    await new Promise(requestAnimationFrame);
    stale = false;
    await answer();
  }
  working = null;
  byId("result").ariaBusy = "false";
}

async function answer() {
  let { pixels, reason } = see();
  let found = null;
  if (pixels && !model) reason = words().loading;
  try {
    if (pixels && model) found = await read(model, pixels, entry.classes);
    if (model) showLayers(found ? found.layers : model.look?.(new Float32Array(784)).layers);
  } catch (error) {
    byId("problem").textContent = words().noModel(entry.name, error.message ?? error);
  }
  showSeen(pixels);
  showBars(found?.probabilities);
  showAnswer(found, reason);
  if (found) showTime(entry, found.milliseconds);
  if (!spoken) announce(found, reason);
  spoken = true;
}

/** What the network is to see: 784 numbers, or why there are none. */
function see() {
  const picture = pad.picture();
  if (!picture) {
    const ink = pad.ink();
    return { pixels: ink && frame(ink), reason: null };
  }
  try {
    const { colours, width, height } = pixelsOf(picture);
    const grey = rgbToGrey(colours);
    // Classes with names are not MNIST's digits, and their own pictures were prepared otherwise: they pass as they are.
    const own = entry?.classes && width === 28 && height === 28;
    return { pixels: own ? Float32Array.from(grey) : prepare(grey, width, height), reason: null };
  } catch {
    return { pixels: null, reason: words().noInk };
  }
}

function speak() {
  spoken = false;
  later();
}

async function choose(chosen) {
  byId("problem").textContent = "";
  try {
    const opened = await openModel(chosen);
    await working; // the former model may be at work
    model?.close();
    [model, entry] = [opened, chosen];
    makeBars(model.classes, entry.classes);
    byId("layers").replaceChildren();
    speak();
  } catch (error) {
    byId("problem").textContent = words().noModel(chosen.name, error.message ?? error);
  }
  return entry;
}

async function start() {
  try {
    const models = await listModels();
    await showModels(models, choose);
  } catch (error) {
    byId("problem").textContent = words().noModels(error.message ?? error);
  }
}

startLanguage();
const pad = createPad(canvas, drawn, speak);
drawByKeys(canvas, pad, byId("cursor"), (down) => {
  byId("status").textContent = words()[down ? "penDown" : "penUp"];
});
acceptPictures(document.querySelector(".paper"), pad.show, (problem) => {
  showAnswer(null, words()[problem]);
  announce(null, words()[problem]);
});
byId("undo").addEventListener("click", pad.undo);
byId("clear").addEventListener("click", pad.clear);
byId("language").addEventListener("click", () => {
  switchLanguage();
  speak();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", pad.repaint);
makeBars(10);
drawn();
start();
if (!ONE_FILE) install(byId("install"));
