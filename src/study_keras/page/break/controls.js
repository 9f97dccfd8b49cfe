// The controls: a row for the image, and one for each layer with weights.
import { layerTitle } from "../layer_names.js";
import { strings } from "../strings.js";
import { percent } from "../view.js";
import { BITS, NO_DAMAGE, hasBias, hasKernel, unitsOf } from "./damage.js";
import { make } from "../make.js";
import { makeSlider } from "./slider.js";

const NOISE = [0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3]; // in shares of the standard deviation of the weights
const PIXELS = range(-10, 10);
const IMAGE = {
  right: PIXELS,
  down: PIXELS,
  turn: range(-12, 12).map((steps) => 15 * steps),
  pen: range(-3, 3),
  noise: range(0, 10).map((tenths) => tenths / 10),
};

/**
 * Make the sliders for the image.
 * @param {HTMLElement} place
 * @param {(changed: object) => void} onChange
 * @returns {(change: import("./inputs.js").Change) => void} shows them, in the current language
 */
export function makeImageControls(place, onChange) {
  const title = make("legend");
  const sliders = Object.entries(IMAGE).map(([name, values]) => [name, makeSlider(`image-${name}`, values, (value) => onChange({ [name]: value }))]);
  place.append(make("fieldset", {}, title, make("div", { className: "damage-knobs image" }, ...sliders.map(([, { element }]) => element))));
  return (change) => {
    title.textContent = strings().damageImage;
    for (const [name, { show }] of sliders) show(strings().imageKnobs[name], change[name], valueText(name, change[name]));
  };
}

function valueText(name, value) {
  if (name === "noise") return percent(value);
  const signed = value > 0 ? `+${value}` : String(value).replace("-", "−");
  return name === "turn" ? `${signed}°` : strings().damagePixels(signed);
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
    const show = makeRow(place, layer, `layer-${i}`, (changed) => onChange(layer.name, changed));
    return (damages) => show(layerTitle(layer, layers), damages[layer.name] ?? NO_DAMAGE);
  });
  return (damages) => rows.forEach((show) => show(damages));
}

function makeRow(place, layer, id, onChange) {
  const units = unitsOf(layer);
  const title = make("legend");
  const noise = makeSlider(`${id}-noise`, NOISE, (value) => onChange({ noise: value }));
  const kept = makeSlider(`${id}-units`, range(1, units), (value) => onChange({ units: value === units ? Infinity : value }));
  const bits = makeSlider(`${id}-bits`, BITS, (value) => onChange({ bits: value }));
  const noBias = makeTick(`${id}-bias`, (value) => onChange({ noBias: value }));
  const zero = makeTick(`${id}-zero`, (value) => onChange({ zero: value }));
  noBias.element.hidden = !hasBias(layer);
  kept.element.hidden = units < 2;
  place.append(make("fieldset", {}, title, make("div", { className: "damage-knobs" }, ...[noise, kept, bits, noBias, zero].map(({ element }) => element))));
  return (name, damage) => {
    const text = strings();
    const many = Math.min(damage.units, units);
    title.textContent = name;
    noise.show(text.damageNoise, damage.noise, percent(damage.noise), damage.zero);
    kept.show(text[layer.shape.length > 1 ? "damageFilters" : "damageUnits"], many, `${many} / ${units}`, damage.zero);
    bits.show(text.damageBits, damage.bits, damage.bits, damage.zero);
    noBias.show(text.damageNoBias, damage.noBias, damage.zero);
    zero.show(text.damageZero, damage.zero);
  };
}

function makeTick(id, onChange) {
  const input = make("input", { type: "checkbox", id });
  const name = make("span");
  input.addEventListener("change", () => onChange(input.checked));
  return {
    element: make("label", { className: "tick" }, input, name),
    show(text, checked, disabled = false) {
      name.textContent = text;
      Object.assign(input, { checked, disabled });
    },
  };
}

function range(first, last) {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}
