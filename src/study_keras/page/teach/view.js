// The view "Teach": a drawing gets a label and joins one's own; the network learns them, and is saved or set back.
import { byId } from "../dom.js";
import { strings } from "../strings.js";
import { taughtLayers } from "./learning.js";
import { createOwn } from "./own.js";
import { download, packNetwork } from "./save.js";
import { describe, describeLayers, makeLabels, showAnswer, showResult } from "./shown.js";
import { readsDigits, teach } from "./teaching.js";

const LEAST = 10; // drawings for a lesson

/** @returns {import("../views.js").View} */
export function createView(page) {
  const results = new WeakMap(); // model -> what its last lesson changed, and its original weights
  let pixels = null; // of the current drawing
  let answer = null;
  let taught = null; // the layers that can be
  let lesson = null; // the AbortController of the one under way
  let message = null; // the last one about lessons, as the name of a string
  const nameOf = (label) => page.open()?.entry.classes?.[label] ?? String(label);
  const fileOf = (opened) => `${opened?.entry.name}.tfjs`;
  const say = (text) => (byId("teach-status").textContent = text);
  const own = createOwn(nameOf, say, () => {
    message = null;
    show();
  });

  const show = () => {
    const opened = page.open();
    const result = opened && results.get(opened.model);
    byId("asked-keys").hidden = Boolean(opened?.entry.classes);
    showAnswer(pixels, answer, nameOf);
    own.show();
    byId("lesson").hidden = !taught;
    byId("lesson-about").textContent = describeLayers(opened, taught);
    byId("lesson-run").textContent = strings()[lesson ? "lessonCancel" : "lessonRun"];
    byId("lesson-run").disabled = !lesson && own.all().length < LEAST;
    byId("lesson-undo").disabled = Boolean(lesson) || !result;
    byId("lesson-save").disabled = Boolean(lesson);
    byId("lesson-progress").hidden = !lesson;
    byId("lesson-convert").textContent = `hello-mnist convert ${fileOf(opened)} mine.keras`;
    const missing = LEAST - own.all().length;
    byId("lesson-needs").textContent = missing > 0 ? strings().lessonNeeds(missing, LEAST) : message ? strings()[message] : "";
    showResult(result, opened && readsDigits(opened.model, opened.entry));
  };
  const read = async () => {
    try {
      const opened = page.open();
      answer = pixels && opened && (await opened.model.run(pixels, 1));
      showAnswer(pixels, answer, nameOf);
    } catch (error) {
      byId("asked-said").textContent = strings().noModel(page.open().entry.name, error.message ?? error);
    }
  };
  const label = (at) => {
    if (!own.isOpen()) return;
    if (!pixels) {
      say(strings().askedNothing);
      return;
    }
    if (!own.add(at, Uint8Array.from(pixels, (value) => Math.round(255 * value)))) return;
    pixels = null; // at once: the cleared area is reported with the next frame
    page.clear();
  };
  const run = async () => {
    if (lesson) return lesson.abort();
    const opened = page.open();
    const { layers } = opened.model;
    const original = results.get(opened.model)?.original ?? taught.names.map((name) => layers.weights(name));
    lesson = new AbortController();
    byId("lesson-problem").textContent = "";
    byId("lesson-progress").value = 0;
    message = null;
    show();
    try {
      const onProgress = (share) => (byId("lesson-progress").value = share);
      const result = await teach(opened, taught, original, own.all(), { signal: lesson.signal, onProgress });
      setWeights(opened, result.weights, true);
      results.set(opened.model, { ...result, original });
      say(describe(result));
    } catch (error) {
      // A model that was closed meanwhile fails before its lesson is aborted.
      if (lesson.signal.aborted || page.open()?.model !== opened.model) say(strings()[(message = "lessonCancelled")]);
      else byId("lesson-problem").textContent = strings().lessonFailed(error.message ?? error);
    }
    lesson = null;
    show();
    await read();
  };
  const setWeights = ({ model }, weights, isTaught) => {
    taught.names.forEach((name, i) => model.layers.setWeights(name, weights[i]));
    model.taught = isTaught;
  };
  const undo = async () => {
    const opened = page.open();
    setWeights(opened, results.get(opened.model).original, false);
    results.delete(opened.model);
    byId("lesson-save").focus(); // this button is disabled now
    say(strings()[(message = "lessonUndone")]);
    show();
    await read();
  };
  const save = () => {
    const opened = page.open();
    download(fileOf(opened), packNetwork(opened.model.json, opened.model.layers.allWeights()));
  };

  byId("lesson-run").addEventListener("click", run);
  byId("lesson-undo").addEventListener("click", undo);
  byId("lesson-save").addEventListener("click", save);
  byId("pad").addEventListener("keydown", (event) => {
    if (document.querySelector("main").dataset.view !== "teach" || event.altKey || event.ctrlKey || event.metaKey) return;
    if (/^\d$/.test(event.key) && page.open() && !page.open().entry.classes) label(Number(event.key));
  });
  new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["lang"] });
  show();
  return {
    draw(drawn) {
      pixels = drawn;
      return read();
    },
    leave: () => lesson?.abort(),
    remodel() {
      lesson?.abort();
      const { model, entry } = page.open();
      taught = model.layers && taughtLayers(model);
      message = null;
      own.open(entry.classes, model.classes);
      makeLabels(Array.from({ length: model.classes }, (_, at) => nameOf(at)), label);
      show();
    },
  };
}
