// The controls: a row for the image, and one for each layer with weights.
import { layerTitle } from "../layer_names.js";
import { strings } from "../strings.js";
import { BITS, NO_DAMAGE, hasBias, hasKernel, unitsOf } from "./damage.js";
import { makeSlider } from "./slider.js";

const LAYER_NOISE = [0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3];
const IMAGE = { // the values of each slider
  right: range(-10, 10, 1),
  down: range(-10, 10, 1),
  turn: range(-180, 180, 15),
  pen: range(-3, 3, 1),
  noise: range(0, 10, 1).map((tenths) => tenths / 10),
};

/**
 * Make the sliders for the image.
 * @param {HTMLElement} place
 * @param {(changed: object) => void} onChange
 * @returns {(change: import("./inputs.js").Change) => void} shows them, in the current language
 */
export function makeImageControls(place, onChange) {
  const row = makeRow();
  const sliders = Object.entries(IMAGE).map(([name, values]) => [name, makeSlider(`image-${name}`, values, (value) => onChange({ [name]: value }))]);
  row.knobs.append(...sliders.map(([, { element }]) => element));
  place.replaceChildren(row.element);
  return (change) => {
    row.title.textContent = strings().damageImage;
    for (const [name, { show }] of sliders) show(strings().imageKnobs[name], change[name], strings().imageValues[name](change[name]));
  };
}

/**
 * Make a row for each layer with weights.
 * @param {HTMLElement} place
 * @param {import("../runtimes/tfjs_layers.js").Layer[]} layers of the whole model
 * @param {(name: string, changed: object) => void} onChange
 * @returns {(damages: Record<string, import("./damage.js").Damage>) => void} shows them, in the current language
 */
export function makeLayerControls(place, layers, onChange) {
  const rows = layers.filter(hasKernel).map((layer, i) => {
    const { element, show } = makeLayerRow(layer, `layer-${i}`, (changed) => onChange(layer.name, changed));
    return { element, show: (damages) => show(layerTitle(layer, layers), damages[layer.name] ?? NO_DAMAGE) };
  });
  place.replaceChildren(...rows.map(({ element }) => element));
  return (damages) => rows.forEach(({ show }) => show(damages));
}

function makeLayerRow(layer, id, onChange) {
  const row = makeRow();
  const units = unitsOf(layer);
  const filters = layer.shape.length > 1;
  const noise = makeSlider(`${id}-noise`, LAYER_NOISE, (value) => onChange({ noise: value }));
  const bits = makeSlider(`${id}-bits`, BITS, (value) => onChange({ bits: value }));
  const kept = makeSlider(`${id}-units`, range(1, units, 1), (value) => onChange({ units: value === units ? Infinity : value }));
  const noBias = makeCheckbox(`${id}-bias`, (value) => onChange({ noBias: value }));
  const zero = makeCheckbox(`${id}-zero`, (value) => onChange({ zero: value }));
  noBias.element.hidden = !hasBias(layer);
  kept.element.hidden = units < 2;
  row.knobs.append(noise.element, kept.element, bits.element, noBias.element, zero.element);
  const show = (title, damage) => {
    const text = strings();
    const many = Math.min(damage.units, units);
    row.title.textContent = title;
    noise.show(text.damageNoise, damage.noise, text.damagePercent(damage.noise), damage.zero);
    kept.show(text[filters ? "damageFilters" : "damageUnits"], many, text.damageKept(many, units), damage.zero);
    bits.show(text.damageBits, damage.bits, text.damageBit(damage.bits), damage.zero);
    noBias.show(text.damageNoBias, damage.noBias || damage.zero, damage.zero);
    zero.show(text.damageZero, damage.zero);
  };
  return { element: row.element, show };
}

function makeRow() {
  const element = document.createElement("fieldset");
  const title = document.createElement("legend");
  const knobs = Object.assign(document.createElement("div"), { className: "damage-knobs" });
  element.append(title, knobs);
  return { element, title, knobs };
}

function makeCheckbox(id, onChange) {
  const element = Object.assign(document.createElement("label"), { className: "tick" });
  const input = Object.assign(document.createElement("input"), { type: "checkbox", id });
  const name = document.createElement("span");
  input.addEventListener("change", () => onChange(input.checked));
  element.append(input, name);
  const show = (text, checked, disabled = false) => {
    name.textContent = text;
    Object.assign(input, { checked, disabled });
  };
  return { element, show };
}

function range(first, last, step) {
  return Array.from({ length: Math.max(Math.round((last - first) / step) + 1, 0) }, (_, i) => first + i * step);
}
