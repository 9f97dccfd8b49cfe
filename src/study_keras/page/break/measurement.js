// Measures the accuracy, and then what excites the units, beside all else that happens in the page.
import { byId } from "../dom.js";
import { mnist, someOf } from "../mnist.js";
import { countRight } from "./accuracy.js";
import { showAccuracy, showBusy, showNoAccuracy } from "./effect.js";

const TESTS = 1000; // images; the one-file page has 500
const SAMPLE = ONE_FILE ? 1000 : 2000; // training images, to see what excites a unit
let images = null; // {test, train}, once they are loaded

/**
 * @param {{model: object, entry: object}} opened
 * @param {object} of what is measured
 * @param {ReturnType<typeof import("./patient.js").createPatient> | null} of.patient
 * @param {ReturnType<typeof import("./excites_panel.js").createPanel> | null} of.panel
 * @param {() => boolean} of.isOpen whether the model is open still, and this view
 * @param {() => {change: import("./inputs.js").Change, isChanged: boolean}} of.settings
 * @param {(error: unknown) => void} onProblem
 */
export function createMeasurement({ model, entry }, { patient, panel, isOpen, settings }, onProblem) {
  const right = { count: 0, before: null, now: null };
  let job = 0; // number of the measurement under way

  const show = () => (entry.classes ? showNoAccuracy() : showAccuracy(right, settings().isChanged));
  const runWhole = (pixels, count) => (patient ? patient.whole(() => model.run(pixels, count)) : model.run(pixels, count));

  async function readTests(isWanted) {
    right.count = images.test.labels.length;
    show();
    if (right.now === null) {
      const by = { run: model.run, runWhole: right.before === null ? runWhole : null, change: settings().change };
      const found = await countRight(images.test, by, isWanted);
      if (!found) return;
      right.before ??= found.before;
      right.now = found.now;
    }
    byId("effect-status").textContent = show();
  }

  /** Measure what is not known; a newer call ends this one. */
  async function measure() {
    const own = ++job;
    const isWanted = () => own === job && isOpen();
    showBusy(true);
    try {
      const { train, test } = await mnist();
      images ??= { train: someOf(train, SAMPLE), test: someOf(test, TESTS) };
      if (isWanted() && !entry.classes) await readTests(isWanted);
      if (isWanted()) await panel?.measure(images.train, isWanted);
    } catch (error) {
      if (isWanted()) onProblem(error);
    }
    if (isWanted()) showBusy(false);
  }

  return {
    measure,
    show,
    /** The network or the images have changed. */
    forget() {
      job++;
      right.now = settings().isChanged ? null : right.before;
      panel?.forget();
    },
  };
}
