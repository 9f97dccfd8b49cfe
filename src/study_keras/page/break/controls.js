// The controls: a row for the image, and one for each layer with weights.
import { make } from "../dom.js";
import { layerTitle } from "../layer_names.js";
import { strings } from "../strings.js";
import { percent } from "../view.js";
import { BITS, NO_DAMAGE, hasBias, hasKernel, unitsOf } from "./damage.js";
import { makeSlider, makeTick } from "./knobs.js";

const PIXELS = range(-10, 10);
const IMAGE = {
  right: PIXELS,
  down: PIXELS,
  turn: range(-12, 12).map((steps) => 15 * steps),
  pen: range(-3, 3),
  noise: [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1],
};
const NOISE = [0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3]; // in shares of the standard deviation of the weights

/**
 * Make the sliders for the image.
 * @param {HTMLElement} place
 * @param {(changed: object) => void} onChange
 * @returns {(change: import("./inputs.js").Change) => void} shows them, in the current language
 */
export function makeImageControls(place, onChange) {
  const show = makeRow(place, "image", IMAGE, onChange);
  return (change) => show(strings().damageImage, strings().imageKnobs, change, imageText);
}

/**
 * Make a row for each layer with weights.
 * @param {HTMLElement} place
 * @param {import("../runtimes/tfjs_layers.js").Layer[]} layers of the whole model
 * @param {(name: string, changed: object) => void} onChange
 * @returns {(damages: Record<string, import("./damage.js").Damage>) => void} shows them, in the current language
 */
export function makeLayerControls(place, layers, onChange) {
  place.replaceChildren();
  const rows = layers.filter(hasKernel).map((layer, i) => {
    const units = unitsOf(layer);
    const values = {
      noise: NOISE,
      ...(units > 1 && { units: [...range(1, units - 1), Infinity] }),
      bits: BITS,
      ...(hasBias(layer) && { noBias: null }),
      zero: null,
    };
    const show = makeRow(place, `layer-${i}`, values, (changed) => onChange(layer.name, changed));
    const textOf = (name, value) => (name === "noise" ? percent(value) : name === "units" ? `${Math.min(value, units)} / ${units}` : value);
    return (damages) => {
      const { damageKnobs } = strings();
      const names = layer.shape.length > 1 ? { ...damageKnobs, units: damageKnobs.filters } : damageKnobs;
      show(layerTitle(layer, layers), names, damages[layer.name] ?? NO_DAMAGE, textOf);
    };
  });
  return (damages) => rows.forEach((show) => show(damages));
}

/** A row with a slider for each list of values, and a checkbox where there is none. */
function makeRow(place, id, values, onChange) {
  const title = make("legend");
  const knobs = Object.entries(values).map(([name, list]) => {
    const set = (value) => onChange({ [name]: value });
    return [name, list ? makeSlider(`${id}-${name}`, list, set) : makeTick(`${id}-${name}`, set)];
  });
  place.append(make("fieldset", { className: id }, title, make("div", { className: "damage-knobs" }, ...knobs.map(([, { element }]) => element))));
  return (text, names, settings, textOf) => {
    title.textContent = text;
    for (const [name, { show }] of knobs) {
      show(names[name], settings[name], textOf(name, settings[name]), Boolean(settings.zero) && name !== "zero");
    }
  };
}

function imageText(name, value) {
  if (name === "noise") return percent(value);
  const signed = value > 0 ? `+${value}` : String(value).replace("-", "−");
  return name === "turn" ? `${signed}°` : strings().damagePixels(signed);
}

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
