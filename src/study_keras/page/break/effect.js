// Shows what follows: the answers to the drawing, and how many of the test images are read correctly.
import { byId } from "../dom.js";
import { strings } from "../strings.js";
import { bestOf } from "../train/network.js";
import { drawInk } from "../train/pictures.js";
import { percent as tenths } from "../train/shown.js";
import { percent, showBars } from "../view.js";

/** Show 784 numbers in [0, 1], white on black. */
export function showImage(pixels) {
  drawInk(byId("effect-image"), pixels, "#ffffff");
  byId("effect-image").ariaLabel = strings().seenPicture;
}

/**
 * Show the answers to the drawing.
 * @param {Float32Array | null} now probabilities; null if nothing is drawn
 * @param {Float32Array} before those of the whole network
 * @param {string[]} names of the classes
 * @param {boolean} isChanged whether anything is broken
 */
export function showAnswers(now, before, names, isChanged) {
  const bars = byId("effect-bars");
  const compared = Boolean(now) && isChanged;
  showBars(now, bars);
  byId("effect").classList.toggle("compared", compared);
  if (compared) [...bars.children].forEach((bar, i) => bar.style.setProperty("--before", before[i]));
  const describe = (answer) => [names[bestOf(answer)], percent(answer[bestOf(answer)])];
  const said = now ? strings().effectSaid(...describe(now)) : "";
  byId("damage-answer").textContent = said;
  byId("effect-said").textContent = compared ? strings().effectCompared(said, ...describe(before)) : said || strings().effectNothing;
}

/**
 * Show the accuracies.
 * @param {{count: number, before: number | null, now: number | null}} right how many images there are, and how many the
 *   whole and the damaged network read correctly; null while that is being found out
 * @param {boolean} isChanged whether anything is broken
 * @returns {string} the same in a sentence, for the announcement
 */
export function showAccuracy({ count, before, now }, isChanged) {
  const text = strings();
  const images = count.toLocaleString("en");
  const known = now === null ? "…" : tenths(now / count);
  const whole = before !== null && isChanged ? tenths(before / count) : "";
  byId("effect-accuracy").textContent = known;
  byId("effect-count").textContent = count ? text.effectCount(images) : text.effectLoading;
  byId("effect-whole").textContent = whole && text.effectWhole(whole);
  byId("damage-accuracy").textContent = text.effectAccuracy(known);
  return text.effectAnnounced(known, images, whole);
}

/** Whether what is shown will change soon without anyone's doing. */
export function showBusy(isBusy) {
  byId("effect").ariaBusy = isBusy;
}

/** Say that this network does not read digits, so that MNIST's images are no test of it. */
export function showNoAccuracy() {
  byId("effect-accuracy").textContent = "–";
  byId("effect-count").textContent = strings().effectOther;
  byId("effect-whole").textContent = byId("damage-accuracy").textContent = "";
}
