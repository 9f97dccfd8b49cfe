// The page: a drawing or picture goes to the network, and the answer to the view.
import { createPad } from "./drawing.js";
import { install } from "./install.js";
import { drawByKeys } from "./keyboard.js";
import { classify, listModels, openModel } from "./model.js";
import { acceptPictures, pixelsOf } from "./photo.js";
import { rgbToGrey } from "./vision/image_io.js";
import { normalize } from "./vision/normalize.js";
import { prepare } from "./vision/prepare.js";
import { announce, makeBars, showAnswer, showBars, showLayers, showSeen } from "./view.js";
import { showModels, showTime } from "./model_list.js";
import { followView } from "./train/tab.js";
import { startLanguage, strings, switchLanguage } from "./strings.js";

const byId = (id) => document.getElementById(id);
const canvas = byId("pad");
let model = null;
let entry = null;
let stale = false; // the answer shown is not that to the current drawing
let updating = null; // the promise of the update under way
let announced = true;

/** The open model; the tests run it on many pictures. */
export const currentModel = () => model;

function drawn() {
  byId("hint").hidden = !pad.isEmpty();
  scheduleUpdate();
}

function scheduleUpdate() {
  stale = true;
  byId("result").ariaBusy = "true";
  updating ??= update();
}

async function update() {
  while (stale) {
    await new Promise(requestAnimationFrame);
    stale = false;
    await answer();
  }
  updating = null;
  byId("result").ariaBusy = "false";
}

async function answer() {
  if (training.isOpen()) return training.draw(networkInput().pixels);
  let { pixels, reason } = networkInput();
  let found = null;
  if (pixels && !model) reason = strings().loading;
  try {
    if (pixels && model) found = await classify(model, pixels, entry.classes);
    if (model) showLayers(found ? found.layers : model.look?.(new Float32Array(784)).layers);
  } catch (error) {
    byId("problem").textContent = strings().noModel(entry.name, error.message ?? error);
  }
  showSeen(pixels);
  showBars(found?.probabilities);
  showAnswer(found, reason);
  if (found) showTime(entry, found.milliseconds);
  if (!announced) announce(found, reason);
  announced = true;
}

/** The input of the network: 784 numbers, or the reason why there are none. */
function networkInput() {
  const picture = pad.picture();
  if (!picture) {
    const ink = pad.ink();
    return { pixels: ink && normalize(ink), reason: null };
  }
  try {
    const { colours, width, height } = pixelsOf(picture);
    const grey = rgbToGrey(colours);
    // Classes with names are not MNIST's digits; the images of other datasets were prepared differently.
    const unchanged = entry?.classes && width === 28 && height === 28;
    return { pixels: unchanged ? Float32Array.from(grey) : prepare(grey, width, height), reason: null };
  } catch {
    return { pixels: null, reason: strings().noInk };
  }
}

function updateAndAnnounce() {
  announced = false;
  scheduleUpdate();
}

async function choose(chosen) {
  byId("problem").textContent = "";
  try {
    const opened = await openModel(chosen);
    await updating; // it may be using the previous model
    model?.close();
    [model, entry] = [opened, chosen];
    makeBars(model.classes, entry.classes);
    byId("layers").replaceChildren();
    updateAndAnnounce();
  } catch (error) {
    byId("problem").textContent = strings().noModel(chosen.name, error.message ?? error);
  }
  return entry;
}

async function start() {
  try {
    const models = await listModels();
    await showModels(models, choose);
  } catch (error) {
    byId("problem").textContent = strings().noModels(error.message ?? error);
  }
}

startLanguage();
const pad = createPad(canvas, drawn, updateAndAnnounce);
drawByKeys(canvas, pad, byId("cursor"), (down) => {
  byId("status").textContent = strings()[down ? "penDown" : "penUp"];
});
acceptPictures(document.querySelector(".paper"), pad.show, (problem) => {
  showAnswer(null, strings()[problem]);
  announce(null, strings()[problem]);
});
byId("undo").addEventListener("click", pad.undo);
byId("clear").addEventListener("click", pad.clear);
byId("language").addEventListener("click", () => {
  switchLanguage();
  updateAndAnnounce();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", pad.repaint);
const training = followView(updateAndAnnounce);
makeBars(10);
drawn();
start();
if (!ONE_FILE) install(byId("install"));
