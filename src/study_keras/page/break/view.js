// The view "Break": damages the open network and its input, and shows what follows.
import { byId } from "../dom.js";
import { showLayers, unitAt } from "../layer_path.js";
import { strings } from "../strings.js";
import { makeBars } from "../view.js";
import { makeImageControls, makeLayerControls } from "./controls.js";
import { NO_DAMAGE, isSame, isWhole } from "./damage.js";
import { showAnswers, showBusy, showImage } from "./effect.js";
import { createPanel } from "./excites_panel.js";
import { NO_CHANGE, changedImage } from "./inputs.js";
import { createMeasurement } from "./measurement.js";
import { createPatient } from "./patient.js";

/** @returns {import("../views.js").View} */
export function createView(page) {
  let here = false;
  let opened = null; // {model, entry}
  let patient = null; // the network, if its layers are known
  let panel = null;
  let measurement = null;
  let showLayerControls = null;
  let damages = {}; // by the names of the layers
  let change = NO_CHANGE; // to the image
  let drawn = null; // 784 numbers
  let before = null; // the whole network's answer to them
  let scheduled = false;

  // When another model has been opened, this one has been closed, and nothing may be done to it.
  const isOpen = () => here && opened !== null && page.open()?.model === opened.model;
  const isChanged = () => !isSame(change, NO_CHANGE) || !Object.values(damages).every(isWhole);
  const showImageControls = makeImageControls(byId("damage-input"), (changed) => set(damages, { ...change, ...changed }));
  const damageLayer = (name, changed) => set({ ...damages, [name]: { ...NO_DAMAGE, ...damages[name], ...changed } }, change);

  function set(...settings) {
    [damages, change] = settings;
    showControls();
    showBusy(true);
    if (scheduled) return; // once a frame, however fast a slider moves
    scheduled = true;
    requestAnimationFrame(() => {
      scheduled = false;
      if (!isOpen()) return;
      patient?.damage(damages);
      measurement.forget();
      show();
      answer();
      measurement.measure();
    });
  }

  function enter() {
    here = true;
    opened = page.open();
    if (!opened) return;
    const inside = opened.model.layers;
    patient = inside ? createPatient(inside) : null;
    panel = inside ? createPanel(inside, patient.layers, () => measurement.measure()) : null;
    const settings = () => ({ change, isChanged: isChanged() });
    measurement = createMeasurement(opened, { patient, panel, isOpen, settings }, showProblem);
    showLayerControls = makeLayerControls(byId("damage-layers"), patient?.layers ?? [], damageLayer);
    makeBars(opened.model.classes, opened.entry.classes, byId("effect-bars"));
    patient?.damage(damages);
    show();
    measurement.measure();
  }

  async function answer() {
    const { model, entry } = opened;
    const image = changedImage(drawn ?? new Float32Array(784), change, 0);
    try {
      if (drawn) before ??= patient ? patient.whole(() => model.look(drawn).outputs) : await model.run(drawn, 1);
      const seen = patient && model.look(image);
      const now = seen?.outputs ?? await model.run(image, 1);
      if (opened?.model !== model || !isOpen()) return;
      const names = Array.from({ length: model.classes }, (_, i) => entry.classes?.[i] ?? String(i));
      showImage(image);
      showLayers(seen, image, model, entry.classes);
      showAnswers(drawn && now, before, names, isChanged());
    } catch (error) {
      if (isOpen()) showProblem(error);
    }
  }

  function showControls() {
    showImageControls(change);
    showLayerControls?.(damages);
    byId("damage-undo").disabled = !isChanged();
  }

  function show() {
    showControls();
    measurement.show();
    panel?.show();
    byId("damage-note").textContent = strings()[patient ? "damageLead" : "damageNoLayers"];
    byId("excites").hidden = !panel;
    byId("effect-problem").textContent = "";
  }

  function showProblem(error) {
    byId("effect-problem").textContent = strings().breakProblem(error.message ?? error);
  }

  byId("layers").addEventListener("click", (event) => {
    const at = isOpen() && panel && unitAt(event);
    if (!at) return;
    panel.choose(at.layer, at.unit);
    document.querySelector(".excites").scrollIntoView({ block: "nearest" });
  });
  byId("damage-undo").addEventListener("click", () => set({}, NO_CHANGE));
  new MutationObserver(() => isOpen() && show()).observe(document.documentElement, { attributeFilter: ["lang"] });
  showControls();
  return {
    async draw(pixels) {
      [drawn, before] = [pixels, null];
      if (!here || !opened) enter();
      if (opened) await answer();
    },
    leave() {
      if (isOpen()) patient?.release();
      here = false;
      showBusy(true); // until it is measured anew
    },
    remodel() {
      [here, damages, change] = [false, {}, NO_CHANGE];
    },
  };
}
