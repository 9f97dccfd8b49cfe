// Shows what follows: the answers to the drawing, and how many of the test images are read correctly.
import { strings } from "../strings.js";
import { drawInk } from "../train/pictures.js";
import { bestOf } from "../train/network.js";
import { percent } from "../view.js";

const byId = (id) => document.getElementById(id);
const exactly = (share) => `${(100 * share).toFixed(1)} %`; // from 97.1 to 97.4 % is much

/** Show 784 numbers in [0, 1], white on black. */
export function showImage(pixels) {
  drawInk(byId("effect-image"), pixels, "#ffffff");
  byId("effect-image").setAttribute("aria-label", strings().effectImageLabel);
}

/**
 * Show the answers to the drawing.
 * @param {string[]} names of the classes
 * @param {{before: Float32Array, now: Float32Array} | null} answers probabilities; null if nothing is drawn
 * @param {boolean} isChanged whether anything is broken
 */
export function showAnswers(names, answers, isChanged) {
  makeBars(names);
  const best = answers ? bestOf(answers.now) : -1;
  [...byId("effect-bars").children].forEach((item, i) => {
    const [share, bar] = item.children;
    share.textContent = answers ? percent(answers.now[i]) : "";
    bar.style.setProperty("--share", answers ? answers.now[i] : 0);
    bar.style.setProperty("--before", answers ? answers.before[i] : 0);
    item.classList.toggle("best", i === best);
  });
  byId("effect-bars").classList.toggle("compared", Boolean(answers));
  byId("effect-said").textContent = answers ? describe(names, answers, isChanged) : strings().effectNothing;
  byId("damage-now").dataset.answer = answers ? strings().effectSaid(names[best], percent(answers.now[best])) : "";
  showSummary();
}

/**
 * Show the accuracies.
 * @param {object} found
 * @param {number} found.count of the test images
 * @param {number | null} found.before how many the whole network reads correctly; null while they are being read
 * @param {number | null} found.now how many the damaged one does
 * @param {boolean} found.isChanged whether anything is broken
 * @returns {string} the same in a sentence, for the announcement
 */
export function showAccuracy({ count, before, now, isChanged }) {
  const text = strings();
  const whole = before === null ? "" : exactly(before / count);
  const known = now === null ? null : exactly(now / count);
  byId("effect-accuracy").textContent = known ?? "…";
  byId("effect-count").textContent = count ? text.effectCount(count.toLocaleString("en")) : text.effectLoading;
  byId("effect-whole").textContent = known === null && count ? text.effectReading : isChanged && whole ? text.effectWhole(whole) : "";
  byId("damage-now").dataset.accuracy = known === null ? "…" : text.effectAccuracy(known);
  showSummary();
  return known === null ? "" : text.effectAnnounced(known, count.toLocaleString("en"), isChanged ? whole : "");
}

/** Say that this network does not read digits, so that MNIST's images are no test of it. */
export function showNoAccuracy() {
  byId("effect-accuracy").textContent = "–";
  byId("effect-count").textContent = strings().effectOther;
  byId("effect-whole").textContent = "";
  byId("damage-now").dataset.accuracy = "";
  showSummary();
}

/** The same beside the controls, which may have scrolled the rest away. */
function showSummary() {
  const { answer = "", accuracy = "" } = byId("damage-now").dataset;
  byId("damage-now").textContent = [answer, accuracy].filter(Boolean).join(" · ");
}

function describe(names, { before, now }, isChanged) {
  const [was, is] = [bestOf(before), bestOf(now)];
  const said = strings().effectSaid(names[is], percent(now[is]));
  return isChanged ? strings().effectCompared(said, names[was], percent(before[was])) : said;
}

function makeBars(names) {
  const place = byId("effect-bars");
  const shown = [...place.children].map(({ lastChild }) => lastChild.textContent);
  if (shown.length === names.length && shown.every((name, i) => name === names[i])) return;
  place.classList.toggle("words", names.some((name) => name.length > 3));
  place.replaceChildren(...names.map((name) => {
    const item = document.createElement("li");
    for (const [className, textContent] of [["share", ""], ["bar", ""], ["name", name]]) {
      item.append(Object.assign(document.createElement("span"), { className, textContent }));
    }
    return item;
  }));
}
