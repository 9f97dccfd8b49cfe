// Shows an answer: the digit, the bars, the image that the network sees, and its layers.
import { strings } from "./strings.js";

const byId = (id) => document.getElementById(id);

/**
 * Show what was read.
 * @param {object | null} reading as returned by read(), of one digit or several
 * @param {number} at the number of the chosen one
 * @param {string} reason why there is none
 */
export function showAnswer(reading, at, reason) {
  const written = reading?.written ?? [];
  const several = written.length > 1;
  byId("result").classList.toggle("several", several);
  byId("digit").classList.toggle("word", written.length === 1 && written[0].name.length > 2);
  byId("digit").replaceChildren(...lettersOf(reading));
  byId("turned").textContent = reading?.turned ? strings().turned(reading.turned) : "";
  if (several) byId("sure").textContent = describe(written[at]);
  else byId("sure").textContent = written.length ? sureness(written[0]) : reason;
}

/** Announce an answer to screen readers. They read every change aloud, so call this only when a stroke has ended. */
export function announce(reading, reason) {
  const written = reading?.written ?? [];
  const [one] = written;
  if (written.length > 1) {
    const turned = reading.turned ? ` ${strings().turned(reading.turned)}` : "";
    byId("status").textContent = strings().saidAll(reading.text.replaceAll("\n", ", "), countsOf(written)) + turned;
  } else {
    byId("status").textContent = one ? strings()[one.certain ? "said" : "doubted"](one.name, percent(one.probability)) : reason;
  }
}

/** The name of one of several digits, and how sure the network is of it. */
export function describe(one) {
  return one.isDigit ? strings().named(one.name, sureness(one)) : strings().unread;
}

/** Make a bar for each class, with its name, or its number if it has none. */
export function makeBars(classes, names, place = byId("bars")) {
  const called = Array.from({ length: classes }, (_, digit) => names?.[digit] ?? String(digit));
  place.classList.toggle("many", classes > 16);
  place.classList.toggle("words", called.some((name) => name.length > 3));
  place.replaceChildren(...called.map((name) => {
    const bar = document.createElement("li");
    bar.append(part("share"), part("bar"), part("name", name));
    return bar;
  }));
}

/** Set the bars to the probabilities; null clears them. */
export function showBars(probabilities, place = byId("bars")) {
  const best = probabilities ? probabilities.indexOf(Math.max(...probabilities)) : -1;
  [...place.children].forEach((bar, digit) => {
    const [share, fill] = bar.children;
    share.textContent = probabilities ? percent(probabilities[digit]) : "";
    fill.style.setProperty("--share", probabilities ? probabilities[digit] : 0);
    bar.classList.toggle("best", digit === best);
  });
}

/** Show 784 numbers in [0, 1] as an image, white on black; null clears it. */
export function showSeen(pixels) {
  const values = pixels ?? new Float32Array(784);
  drawMaps(byId("seen"), { values, width: 28, height: 28, count: 1, highest: 1 }, 1, 0);
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

function sureness({ certain, probability }) {
  return strings()[certain ? "sure" : "unsure"](percent(probability));
}

function countsOf(written) {
  const digits = written.filter((one) => one.isDigit);
  return { digits: digits.length, doubtful: digits.filter((one) => !one.certain).length, unread: written.length - digits.length };
}

/** The text of a reading, letter by letter, so that the uncertain ones look so; style.css makes them fit. */
function lettersOf(reading) {
  if (!reading) return [];
  const lines = reading.text.split("\n");
  byId("digit").style.setProperty("--letters", Math.max(...lines.map((line) => line.length)));
  byId("digit").style.setProperty("--lines", lines.length);
  return reading.written.flatMap((one, i) => {
    const letter = part(one.isDigit && one.certain ? "sure" : "doubtful", one.name);
    const before = reading.written[i - 1];
    if (!before) return [letter];
    return [one.line === before.line ? reading.separator : "\n", letter];
  });
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
  const said = `${name}: ${flat ? strings().neurons(count) : strings().maps(count, height, width)}`;
  const highest = values.reduce((most, v) => Math.max(most, v), 1e-9);
  const columns = flat ? Math.min(count, 32) : Math.ceil(Math.sqrt(2 * count));
  drawMaps(canvas, { values, width, height, count, highest }, columns, flat ? 0 : 1);
  if (caption.textContent === said) return; // a change would cost a layout
  caption.textContent = said;
  canvas.setAttribute("aria-label", said);
}

/** Draw so many images, whose values lie side by side for each pixel, in a grid. */
function drawMaps(canvas, { values, width, height, count, highest }, columns, gap) {
  const across = columns * (width + gap) - gap;
  const down = Math.ceil(count / columns) * (height + gap) - gap;
  if (canvas.width !== across || canvas.height !== down) [canvas.width, canvas.height] = [across, down];
  const context = canvas.getContext("2d");
  const image = context.createImageData(across, down);
  values.forEach((value, i) => {
    const [pixel, map] = [Math.floor(i / count), i % count];
    const left = (map % columns) * (width + gap) + (pixel % width);
    const top = Math.floor(map / columns) * (height + gap) + Math.floor(pixel / width);
    const at = 4 * (top * across + left);
    image.data.fill((255 * Math.max(value, 0)) / highest, at, at + 3);
    image.data[at + 3] = 255;
  });
  context.putImageData(image, 0, 0);
}
