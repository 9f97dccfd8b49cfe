// The page: a drawing or picture goes to the networks, and what they read to the view.
import { byId } from "./dom.js";
import { createPad } from "./drawing.js";
import { chooseDigits, firstChoice, markChosen, showFound } from "./found.js";
import { install } from "./install.js";
import { drawByKeys } from "./keyboard.js";
import { showLayers } from "./layer_path.js";
import { listModels, openModel, openShippedFinder } from "./model.js";
import { showModels, showTime } from "./model_list.js";
import { acceptPictures } from "./photo.js";
import { imageOf, read } from "./reading.js";
import { startLanguage, strings, switchLanguage } from "./strings.js";
import { announce, makeBars, showAnswer, showBars, showSeen } from "./view.js";
import { followViews } from "./views.js";

const canvas = byId("pad");
let model = null;
let entry = null;
let finder = null;
let noFinder = null; // why it cannot be loaded
let reading = null; // what the current answer shows
let choice = null; // the number of the digit that the user chose in this drawing
let stale = false; // the answer shown is not that to the current drawing
let updating = null; // the promise of the update under way
let announced = true;

/** The open model; the tests run it on many pictures. */
export const currentModel = () => model;

function drawn() {
  byId("hint").hidden = !pad.isEmpty();
  choice = null;
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
    await answer().catch((error) => showProblem(String(error.message ?? error)));
  }
  updating = null;
  byId("result").ariaBusy = String(!finder && !noFinder); // once it is loaded, the drawing is read
}

async function answer() {
  if (!views.isReading()) return views.draw(await imageOf(pad, finder));
  const now = { reading: null, reason: strings().nothing };
  try {
    if (!pad.isEmpty()) Object.assign(now, await readDrawing());
  } catch (error) {
    now.reason = showProblem(strings().noModel(entry.name, error.message ?? error));
  }
  show(now.reading, now.reason);
  if (reading) showTime(entry, reading.milliseconds);
  if (!announced) announce(reading, now.reason);
  announced = true;
}

/** What is written, or the reason why nothing was read. */
async function readDrawing() {
  if (noFinder) return { reason: strings().noFinder(noFinder) };
  if (!model || !finder) return { reason: strings().loading };
  const found = await read(pad, { model, entry, finder });
  if (found.written.length) return { reading: found };
  return { reason: strings()[pad.picture() ? "noInk" : "noDigit"] };
}

function show(now, reason) {
  reading = now;
  showFound(reading);
  showChosen(reading && !reading.written[choice] ? firstChoice(reading, pad.tip()) : choice, reason);
}

/** Show the answer, and of several digits the chosen one's bars, 28 x 28 and layers. */
function showChosen(at, reason) {
  const one = reading?.written[at];
  const seen = one?.isDigit ? one : null;
  markChosen(at);
  showAnswer(reading, at, reason);
  showSeen(seen?.image);
  showBars(seen?.probabilities);
  const image = seen?.image ?? new Float32Array(784);
  if (model) showLayers(model.look?.(image), image, model, entry.classes);
}

function updateAndAnnounce() {
  announced = false;
  scheduleUpdate();
}

function showProblem(problem = noFinder ? strings().noFinder(noFinder) : "") {
  byId("problem").textContent = problem;
  return problem;
}

async function choose(chosen) {
  showProblem();
  try {
    const opened = await openModel(chosen);
    await updating; // it may be using the previous model
    model?.close();
    [model, entry] = [opened, chosen];
    makeBars(model.classes, entry.classes);
    updateAndAnnounce();
  } catch (error) {
    showProblem(strings().noModel(chosen.name, error.message ?? error));
  }
  return entry;
}

async function loadFinder() {
  try {
    finder = await openShippedFinder();
  } catch (error) {
    noFinder = String(error.message ?? error);
    showProblem();
  }
  updateAndAnnounce();
}

async function start() {
  try {
    const models = await listModels();
    await showModels(models, choose);
  } catch (error) {
    showProblem(strings().noModels(error.message ?? error));
  }
}

startLanguage();
const pad = createPad(canvas, drawn, updateAndAnnounce);
const liftPen = drawByKeys(canvas, pad, byId("cursor"), (down) => {
  byId("status").textContent = strings()[down ? "penDown" : "penUp"];
});
acceptPictures(document.querySelector(".paper"), pad.show, (problem) => {
  show(null, strings()[problem]);
  announce(null, strings()[problem]);
});
chooseDigits((at) => {
  choice = at;
  showChosen(at);
});
byId("undo").addEventListener("click", pad.undo);
byId("clear").addEventListener("click", pad.clear);
byId("language").addEventListener("click", () => {
  switchLanguage();
  updateAndAnnounce();
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", pad.repaint);
const clear = () => {
  liftPen();
  pad.clear();
};
const views = followViews({ open: () => model && { model, entry }, clear }, updateAndAnnounce);
makeBars(10);
drawn();
start();
loadFinder();
if (!ONE_FILE) install(byId("install"));
