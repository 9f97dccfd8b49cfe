// The panel "What excites a unit": the choice of a layer and a unit, its weights, and the images.
import { byId, make } from "../dom.js";
import { layerTitle } from "../layer_names.js";
import { strings } from "../strings.js";
import { drawInk, drawSigned } from "../train/pictures.js";
import { measureUnits, strongest } from "./excites.js";
import { fieldOf } from "./field.js";
import { makeSlider } from "./knobs.js";
import { readPictures } from "./weights.js";

const SHOWN = 12; // images
const DIGITS = { minimumSignificantDigits: 3, maximumSignificantDigits: 3 };

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
  let isAsked = false; // whether somebody waits for an announcement

  const label = make("label", { htmlFor: "excites-layer" });
  const select = make("select", { id: "excites-layer" }, ...layers.map((_, value) => make("option", { value })));
  const choice = make("div", { className: "knob" }, label, select);
  select.addEventListener("change", () => choose(Number(select.value), 0));

  /** Choose a unit of a layer by their numbers. */
  function choose(layerAt, unitAt) {
    chooseLayer(layers[layerAt], unitAt);
    select.value = layerAt;
    isAsked = true;
    onChoose();
  }

  function chooseLayer(chosen, chosenUnit = 0) {
    [layer, unit] = [chosen, chosenUnit];
    forget();
    slider = makeSlider("excites-unit", [...Array(unitsOf(layer)).keys()], (value) => {
      unit = value;
      show();
    });
    slider.element.addEventListener("change", () => {
      isAsked = true;
      show();
    });
    byId("excites-choice").replaceChildren(choice, slider.element);
    show();
  }

  /** The network has changed: what was found is not true any more. */
  function forget() {
    found = null;
    pictures = readPictures(layer, inside);
  }

  /** Show all in the current language. */
  function show() {
    const text = strings();
    label.textContent = text.excitesLayer;
    layers.forEach((one, i) => (select.options[i].textContent = layerTitle(one, layers)));
    slider.show(text[layer.shape.length > 1 ? "excitesMap" : "excitesUnit"], unit, `${unit + 1} / ${unitsOf(layer)}`);
    showWeights(pictures?.(unit));
    const best = found ? strongest(found, unit, SHOWN) : [];
    const said = best.length ? text.excitesSaid(images.labels.length.toLocaleString("en")) : text.excitesNone;
    byId("excites-said").textContent = found ? said : text.excitesReading;
    byId("excites-images").replaceChildren(...best.map(makeImage));
    if (!found || !isAsked) return;
    isAsked = false;
    const labels = best.map(({ image }) => images.labels[image]).join(", ");
    byId("excites-status").textContent = labels ? text.excitesAnnounced(labels) : said;
  }

  function makeImage({ image, value, place }) {
    const canvas = make("canvas", { ariaHidden: "true" });
    drawInk(canvas, images.pixels.subarray(784 * image, 784 * (image + 1)), "#ffffff");
    const paper = make("div", { className: "excited-image" }, canvas);
    const field = fieldOf(layers.slice(0, layers.indexOf(layer) + 1), place);
    if (field) paper.append(makeFrame(field));
    return make("li", {}, paper, make("span", {}, make("b", {}, images.labels[image]), ` ${value.toLocaleString("en", DIGITS)}`));
  }

  chooseLayer(layer);
  return {
    show,
    choose,
    forget,
    /** Find out what excites the units of the chosen layer, if that is not known. */
    async measure(sample, isWanted) {
      if (found) return;
      const measured = await measureUnits((pixels, count) => inside.outputs(layer.name, pixels, count), unitsOf(layer), sample, isWanted);
      if (!measured) return;
      [found, images] = [measured, sample];
      show();
    },
  };
}

const unitsOf = ({ shape }) => shape.at(-1);

function showWeights(picture) {
  byId("excites-weights").hidden = !picture;
  if (!picture) return;
  const canvas = byId("excites-weights").firstElementChild;
  canvas.ariaLabel = strings().excitesWeightsLabel;
  drawSigned(canvas, picture.values, picture.width, picture.height);
}

function makeFrame(field) {
  const frame = make("i");
  for (const [side, pixels] of Object.entries(field)) frame.style[side] = `${pixels / 0.28}%`;
  return frame;
}
