// Shows an answer: the digit, the bars, and the image that the network sees.
import { byId } from "./dom.js";
import { drawMaps } from "./maps.js";
import { strings } from "./strings.js";

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
  drawMaps(byId("seen"), { values: pixels ?? new Float32Array(784), width: 28, height: 28, count: 1, highest: 1 }, 1, 0);
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
