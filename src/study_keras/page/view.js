// Shows an answer: the digit, the bars, the image that the network sees, and its layers.
import { strings } from "./strings.js";

const SURE = 0.9; // below it the page says that it is not sure; the CERTAIN of vision/recognize.py
const byId = (id) => document.getElementById(id);

/** Show an answer, or null and the `reason` why there is none. */
export function showAnswer(answer, reason) {
  const doubtful = answer && answer.probability < SURE;
  byId("digit").textContent = answer ? answer.name : "";
  byId("digit").classList.toggle("word", Boolean(answer && answer.name.length > 2));
  byId("digit").classList.toggle("doubtful", Boolean(doubtful));
  byId("sure").textContent = answer
    ? strings()[doubtful ? "unsure" : "sure"](percent(answer.probability))
    : reason ?? strings().nothing;
}

/** Announce an answer to screen readers. They read every change aloud, so call this only when a stroke has ended. */
export function announce(answer, reason) {
  const said = answer && strings()[answer.probability < SURE ? "doubted" : "said"](answer.name, percent(answer.probability));
  byId("status").textContent = said ?? reason ?? strings().nothing;
}

/** Make a bar for each class, with its name, or its number if it has none. */
export function makeBars(classes, names) {
  const called = Array.from({ length: classes }, (_, digit) => names?.[digit] ?? String(digit));
  byId("bars").classList.toggle("many", classes > 16);
  byId("bars").classList.toggle("words", called.some((name) => name.length > 3));
  byId("bars").replaceChildren(...called.map((name) => {
    const bar = document.createElement("li");
    bar.append(part("share"), part("bar"), part("name", name));
    return bar;
  }));
}

/** Set the bars to the probabilities; null clears them. */
export function showBars(probabilities) {
  const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  [...byId("bars").children].forEach((bar, digit) => {
    const [share, fill] = bar.children;
    share.textContent = probabilities ? percent(probabilities[digit]) : "";
    fill.style.setProperty("--share", probabilities ? probabilities[digit] : 0);
    bar.classList.toggle("best", digit === best);
  });
}

/** Show 784 numbers in [0, 1] as an image, white on black; null clears it. */
export function showSeen(pixels) {
  drawMaps(byId("seen"), [pixels ?? new Float32Array(784)], 28, 28, 1, 0);
}

/** Show the output of each layer; null if the runtime does not return them. */
export function showLayers(layers) {
  const place = byId("layers");
  if (!layers) {
    place.textContent = strings().noLayers;
    return;
  }
  const known = place.querySelectorAll("figure");
  if (known.length !== layers.length) place.replaceChildren(...layers.map(makeLayer));
  layers.forEach((layer, i) => drawLayer(place.children[i], layer));
}

export function percent(share) {
  return `${share > 0 && share < 0.01 ? "<1" : share < 1 && share > 0.99 ? ">99" : Math.round(100 * share)} %`;
}

function part(name, text = "") {
  const element = document.createElement("span");
  element.className = name;
  element.textContent = text;
  return element;
}

function makeLayer() {
  const figure = document.createElement("figure");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  figure.append(canvas, document.createElement("figcaption"));
  return figure;
}

function drawLayer(figure, { name, shape, values }) {
  const [canvas, caption] = figure.children;
  const flat = shape.length !== 3;
  const [height, width, count] = flat ? [1, 1, values.length] : shape;
  const said = flat ? strings().neurons(count) : strings().maps(count, height, width);
  const highest = values.reduce((most, v) => Math.max(most, v), 1e-9);
  const maps = Array.from({ length: count }, (_, map) =>
    Float32Array.from({ length: height * width }, (_, i) => values[i * count + map] / highest));
  const columns = flat ? Math.min(count, 32) : Math.ceil(Math.sqrt(2 * count));
  drawMaps(canvas, maps, width, height, columns, flat ? 0 : 1);
  caption.textContent = `${name}: ${said}`;
  canvas.setAttribute("aria-label", caption.textContent);
}

/** Draw images of numbers in [0, 1] in a grid. */
function drawMaps(canvas, maps, width, height, columns, gap) {
  const rows = Math.ceil(maps.length / columns);
  canvas.width = columns * (width + gap) - gap;
  canvas.height = rows * (height + gap) - gap;
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  maps.forEach((map, index) => {
    const [left, top] = [(index % columns) * (width + gap), Math.floor(index / columns) * (height + gap)];
    map.forEach((value, i) => {
      const at = 4 * ((top + Math.floor(i / width)) * canvas.width + left + (i % width));
      const light = 255 * Math.min(Math.max(value, 0), 1);
      image.data.set([light, light, light, 255], at);
    });
  });
  context.putImageData(image, 0, 0);
}
