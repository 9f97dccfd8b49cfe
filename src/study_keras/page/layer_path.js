// The way from the drawing to the answer, as one picture from top to bottom: what each layer gives.
import { make } from "./dom.js";
import { layerNote, layerTitle } from "./layer_names.js";
import { drawMaps } from "./maps.js";
import { strings } from "./strings.js";
import { drawSigned } from "./train/pictures.js";

const MOST_UNITS = 512; // of a hidden layer whose weights to the answers are shown
const place = document.getElementById("layers");
let shown = null; // what the steps were made for, and in which language

/**
 * @param {{layers: {name: string, shape: number[], values: Float32Array}[]} | null} seen what model.look() returns; null if
 *   the runtime shows no layers
 * @param {Float32Array} pixels the image, 784 numbers in [0, 1]
 * @param {import("./model.js").Model} model
 * @param {string[]} [classes] the names of the answers
 */
export function showLayers(seen, pixels, model, classes) {
  if (!seen || !model.layers) {
    shown = null;
    place.replaceChildren(make("li", {}, strings().noLayers));
    return;
  }
  const layers = model.layers.list();
  const key = `${document.documentElement.lang} ${place.clientWidth}`;
  if (shown?.model !== model || shown.key !== key) {
    shown = { model, key, steps: makeSteps(layers, classes) };
    place.replaceChildren(...shown.steps.map(({ element }) => element));
  }
  drawLayer(shown.steps[0], { shape: [28, 28, 1], values: pixels }, 1);
  seen.layers.forEach((layer, i) => drawLayer(shown.steps[i + 1], layer));
  const last = shown.steps.at(-1);
  if (last.weights) drawParts(last, layers, seen.layers, model);
}

function makeSteps(layers, classes) {
  const image = makeStep(strings().layerImage, strings().layerImageNote, strings().layerPixels);
  return [image, ...layers.map((layer, i) => {
    const [height, width, count] = layer.shape;
    const size = layer.shape.length === 3 ? strings().maps(count, height, width) : strings().neurons(height);
    const step = makeStep(layerTitle(layer, layers), layerNote(layer, layers), size);
    if (i === layers.length - 1) addAnswers(step, layers, classes);
    return step;
  })];
}

function makeStep(title, note, size) {
  const canvas = make("canvas");
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `${title}, ${size}`);
  const picture = make("div", {}, canvas);
  const element = make("li", {}, make("div", {}, make("b", {}, title), make("span", {}, size), make("p", {}, note)), picture);
  return { element, picture, canvas };
}

/** Beside the last layer's values their names, and for a hidden layer before it what each of its units adds to each. */
function addAnswers(step, layers, classes) {
  const [before, last] = [layers.at(-2), layers.at(-1)];
  const names = Array.from({ length: last.shape[0] }, (_, label) => classes?.[label] ?? label);
  if (names.length > 16) return;
  if (before?.type === "Dense" && last.type === "Dense" && before.shape[0] <= MOST_UNITS) {
    const note = strings().layerParts(before.shape[0]);
    step.weights = make("canvas");
    step.weights.setAttribute("role", "img");
    step.weights.setAttribute("aria-label", note);
    step.picture.prepend(make("p", {}, note), make("div", { className: "parts" }, step.weights, list(names)));
  }
  step.picture.append(list(names));
}

function list(names) {
  return make("div", { className: "answers" }, ...names.map((name) => make("span", {}, String(name))));
}

/** Each unit's value times its weight to each answer; without any value the weights alone. */
function drawParts({ weights: canvas }, layers, seen, model) {
  const [kernel] = model.layers.weights(layers.at(-1).name);
  const values = seen.at(-2).values;
  const isQuiet = values.every((value) => value === 0);
  const answers = kernel.length / values.length;
  const parts = new Float32Array(kernel.length); // one row for each answer
  values.forEach((value, unit) => {
    for (let i = 0; i < answers; i++) parts[i * values.length + unit] = kernel[unit * answers + i] * (isQuiet ? 1 : value);
  });
  drawSigned(canvas, parts, values.length, answers);
}

/**
 * What is at a click on the picture of a layer.
 * @param {MouseEvent} event
 * @returns {{layer: number, unit: number} | null} the numbers of the layer, in the order of model.layers.list(), and of its
 *   map or unit; null elsewhere
 */
export function unitAt({ target, offsetX, offsetY }) {
  const step = shown ? shown.steps.findIndex(({ canvas }) => canvas === target) : -1;
  if (step < 1) return null; // the first is the drawing
  const { columns, rows, count } = shown.steps[step].grid;
  const [column, row] = [(offsetX / target.clientWidth) * columns, (offsetY / target.clientHeight) * rows].map(Math.floor);
  const unit = Math.min(Math.max(row, 0), rows - 1) * columns + Math.min(Math.max(column, 0), columns - 1);
  return unit < count ? { layer: step - 1, unit } : null;
}

/** Draw the maps of a layer in as many columns as its place has room for; the values of a flat one as cells. */
function drawLayer(step, { shape, values }, highest = mostOf(values)) {
  const { canvas } = step;
  const isFlat = shape.length !== 3;
  const [height, width, count] = isFlat ? [1, 1, values.length] : shape;
  // In the page a larger map is shown larger, and an answer as wide as its name.
  const wide = isFlat && count <= 16 ? 28 : Math.min(Math.max(8 * Math.sqrt(width), 18), 42);
  const rows = Math.ceil(count / Math.max(1, Math.floor((canvas.parentElement.clientWidth || 300) / wide)));
  const columns = Math.ceil(count / rows);
  drawMaps(canvas, { values, width, height, count, highest }, columns, isFlat ? 0 : 1);
  canvas.style.width = `${Math.round(wide * columns)}px`;
  step.grid = { columns, rows, count };
}

function mostOf(values) {
  return values.reduce((most, value) => Math.max(most, value), 1e-9);
}
