// The view "Break": damages the open network and its input, and shows what follows.
import { mnist, someOf } from "../mnist.js";
import { strings } from "../strings.js";
import { showLayers } from "../view.js";
import { countRight } from "./accuracy.js";
import { makeImageControls, makeLayerControls } from "./controls.js";
import { NO_DAMAGE, isWhole } from "./damage.js";
import { showAccuracy, showAnswers, showImage, showNoAccuracy } from "./effect.js";
import { createPanel } from "./excites_panel.js";
import { NO_CHANGE, changedImage, isUnchanged } from "./inputs.js";
import { createPatient } from "./patient.js";

const TESTS = 1000; // images; the one-file page has 500
const SAMPLE = ONE_FILE ? 1000 : 2000; // training images, to see what excites a unit
const byId = (id) => document.getElementById(id);

/** @returns {import("../views.js").View} */
export function createView(page) {
  let here = false;
  let opened = null; // {model, entry}
  let patient = null; // null if the model shows no layers
  let panel = null;
  let showLayerControls = () => {};
  let damages = {}; // by the names of the layers
  let change = NO_CHANGE; // to the image
  let drawn = null; // 784 numbers
  let before = null; // the whole network's answer to the drawing
  let accuracy = unknown();
  let images = null; // {test, train}, once they are loaded
  let job = 0; // number of the measurement under way
  let scheduled = false;

  // Another model may have been opened, and this one closed, before `remodel` says so; nothing may be done to it then.
  const isOpen = () => here && opened !== null && page.open()?.model === opened.model;
  const isChanged = () => !isUnchanged(change) || Object.values(damages).some((damage) => !isWhole(damage));
  const showImageControls = makeImageControls(byId("damage-input"), (changed) => {
    change = { ...change, ...changed };
    schedule();
  });
  const damageLayer = (name, changed) => {
    damages = { ...damages, [name]: { ...NO_DAMAGE, ...damages[name], ...changed } };
    schedule();
  };

  function enter() {
    here = true;
    opened = page.open();
    accuracy = unknown();
    const inside = opened?.model.layers;
    patient = inside ? createPatient(inside) : null;
    panel = inside ? createPanel(inside, patient.layers, measure) : null;
    showLayerControls = makeLayerControls(byId("damage-layers"), patient?.layers ?? [], damageLayer);
    patient?.damage(damages);
    showTexts();
    measure();
  }

  function leave() {
    if (isOpen()) patient?.release();
    here = false;
    job++;
  }

  /** Another setting: at most once a frame, however fast a slider moves. */
  function schedule() {
    showControls();
    job++; // what is being measured is not true any more
    if (scheduled) return;
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      if (!isOpen()) return;
      patient?.damage(damages);
      accuracy.now = isChanged() ? null : accuracy.before;
      panel?.forget();
      showTexts();
      answer();
      measure();
    });
  }

  async function answer() {
    if (!opened) return showAnswers([], null, false);
    const { model, entry } = opened;
    const image = changedImage(drawn ?? new Float32Array(784), change, 0);
    const run = async () => {
      if (drawn) before ??= patient ? patient.whole(() => model.look(drawn).outputs) : await model.run(drawn, 1);
      return patient ? model.look(image) : { outputs: await model.run(image, 1) };
    };
    try {
      const { outputs, layers } = await run();
      if (opened.model !== model || !isOpen()) return undefined;
      const names = Array.from({ length: model.classes }, (_, i) => entry.classes?.[i] ?? String(i));
      showImage(image);
      showLayers(layers);
      showAnswers(names, drawn && { before, now: outputs }, isChanged());
    } catch (error) {
      if (isOpen()) showProblem(error);
    }
    return undefined;
  }

  /** Measure the accuracy, then what excites the units; a newer call ends this one. */
  async function measure() {
    const own = ++job;
    if (!isOpen()) return;
    const isWanted = () => own === job && isOpen();
    try {
      const { train, test } = await loadImages();
      if (isWanted() && !opened.entry.classes) await measureAccuracy(test, isWanted);
      if (isWanted()) await panel?.measure(train, isWanted);
    } catch (error) {
      if (isWanted()) showProblem(error);
    }
  }

  async function measureAccuracy(test, isWanted) {
    const { run } = opened.model;
    accuracy.count = test.labels.length;
    showTexts();
    if (accuracy.now === null) {
      const runWhole = accuracy.before === null ? (pixels, count) => (patient ? patient.whole(() => run(pixels, count)) : run(pixels, count)) : null;
      const right = await countRight(test, { run, runWhole, change }, isWanted);
      if (!right) return;
      accuracy.before ??= right.before;
      accuracy.now = right.now;
    }
    byId("effect-status").textContent = showAccuracy({ ...accuracy, isChanged: isChanged() });
  }

  async function loadImages() {
    const { train, test } = await mnist();
    return (images ??= { train: someOf(train, SAMPLE), test: someOf(test, TESTS) });
  }

  function showControls() {
    showImageControls(change);
    showLayerControls(damages);
    byId("damage-undo").disabled = !isChanged();
  }

  function showTexts() {
    showControls();
    byId("damage-note").textContent = strings()[!opened || patient ? "damageLead" : "damageNoLayers"];
    document.querySelector(".excites").hidden = !patient;
    panel?.show();
    if (opened?.entry.classes) showNoAccuracy();
    else showAccuracy({ ...accuracy, isChanged: isChanged() });
  }

  function showProblem(error) {
    byId("effect-problem").textContent = strings().breakProblem(error.message ?? error);
  }

  byId("damage-undo").addEventListener("click", () => {
    [damages, change] = [{}, NO_CHANGE];
    schedule();
  });
  new MutationObserver(() => isOpen() && showTexts()).observe(document.documentElement, { attributeFilter: ["lang"] });
  return {
    draw(pixels) {
      [drawn, before] = [pixels, null];
      if (!here) enter();
      return answer();
    },
    leave,
    remodel() {
      leave();
      [damages, change, opened] = [{}, NO_CHANGE, null];
    },
  };
}

function unknown() {
  return { count: 0, before: null, now: null };
}
