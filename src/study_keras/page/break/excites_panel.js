// The panel "What excites a unit": the choice of a layer and a unit, its weights, and the images.
import { layerTitle } from "../layer_names.js";
import { strings } from "../strings.js";
import { drawInk } from "../train/pictures.js";
import { measureUnits, strongest } from "./excites.js";
import { fieldOf } from "./field.js";
import { makeSlider } from "./slider.js";
import { drawWeights, readPictures } from "./weights.js";

const SHOWN = 12; // images
const byId = (id) => document.getElementById(id);

/**
 * @param {NonNullable<import("../model.js").Model["layers"]>} inside the layers of the open model
 * @param {import("../runtimes/tfjs_layers.js").Layer[]} layers its list
 * @param {() => void} onChoose called when another layer has been chosen, which must be measured
 */
export function createPanel(inside, layers, onChoose) {
  let [layer, unit] = [layers[0], 0];
  let pictures = null; // a function from a unit to its weights, or null; of the network as it is now
  let found = null; // the Excitement of the layer
  let images = null; // that it was measured with
  let slider = null;

  const select = Object.assign(document.createElement("select"), { id: "excites-layer" });
  const label = Object.assign(document.createElement("label"), { htmlFor: "excites-layer" });
  const choice = Object.assign(document.createElement("div"), { className: "knob" });
  select.append(...layers.map((_, value) => Object.assign(document.createElement("option"), { value })));
  choice.append(label, select);
  select.addEventListener("change", () => {
    chooseLayer(layers[select.value]);
    onChoose();
  });

  function chooseLayer(chosen) {
    [layer, unit] = [chosen, 0];
    forget();
    slider = makeSlider("excites-unit", Array.from({ length: unitsOf(layer) }, (_, i) => i), (value) => {
      unit = value;
      show();
      announce();
    });
    byId("excites-choice").replaceChildren(choice, slider.element);
    show();
  }

  /** The network has changed: what was found is not true any more. */
  function forget() {
    found = null;
    pictures = readPictures(layer, inside);
  }

  function show() {
    const text = strings();
    label.textContent = text.excitesLayer;
    [...select.options].forEach((option, i) => (option.textContent = layerTitle(layers[i], layers)));
    slider.show(text[layer.shape.length > 1 ? "excitesMap" : "excitesUnit"], unit, text.excitesOf(unit + 1, unitsOf(layer)));
    const weights = pictures?.(unit);
    byId("excites-weights").hidden = !weights;
    if (weights) drawWeights(byId("excites-weights").firstElementChild, weights, text.excitesWeightsLabel);
    const best = found && strongest(found, unit, SHOWN);
    byId("excites-said").textContent = !found ? text.excitesReading : best.length ? text.excitesSaid(images.labels.length.toLocaleString("en")) : text.excitesNone;
    byId("excites-images").replaceChildren(...(best ?? []).map((one) => makeImage(one)));
  }

  function makeImage({ image, value, place }) {
    const item = document.createElement("li");
    const paper = Object.assign(document.createElement("div"), { className: "excited-image" });
    const canvas = document.createElement("canvas");
    canvas.ariaHidden = "true";
    drawInk(canvas, images.pixels.subarray(784 * image, 784 * (image + 1)), "#ffffff");
    paper.append(canvas);
    const field = layer.shape.length === 3 && fieldOf(layers.slice(0, layers.indexOf(layer) + 1), place);
    if (field) paper.append(makeFrame(field));
    const caption = document.createElement("span");
    caption.append(Object.assign(document.createElement("b"), { textContent: images.labels[image] }), ` ${value.toPrecision(3)}`);
    item.append(paper, caption);
    return item;
  }

  function announce() {
    if (!found) return;
    const labels = strongest(found, unit, SHOWN).map(({ image }) => images.labels[image]);
    byId("excites-status").textContent = labels.length ? strings().excitesAnnounced(labels.join(", ")) : strings().excitesNone;
  }

  chooseLayer(layer);
  return {
    show,
    forget,
    /** Find out what excites the units of the chosen layer, if that is not known. */
    async measure(sample, isWanted) {
      if (found) return;
      const measured = await measureUnits((pixels, count) => inside.outputs(layer.name, pixels, count), unitsOf(layer), sample, isWanted);
      if (!measured) return;
      [found, images] = [measured, sample];
      show();
      announce();
    },
  };
}

const unitsOf = ({ shape }) => shape.at(-1);

function makeFrame({ left, top, width, height }) {
  const frame = document.createElement("i");
  for (const [side, value] of Object.entries({ left, top, width, height })) frame.style[side] = `${(100 * value) / 28}%`;
  return frame;
}
