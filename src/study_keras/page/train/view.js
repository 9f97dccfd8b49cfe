// The view "Train": starts the worker, hands it what is pressed, set and drawn, and shows what it sends.
import { byId } from "../dom.js";
import { imagesSource } from "../mnist.js";
import { strings } from "../strings.js";
import { startWorker } from "../workers.js";
import { kerasCode, makeKnobs } from "./knobs.js";
import { OPTIMIZERS } from "./optimizers.js";
import { percent, showDigit, showMistakes, showProgress, showUnits } from "./shown.js";
import { TUTORIAL } from "./trainer.js";

/** @returns {import("../views.js").View} */
export function createView() {
  const worker = startWorker("train");
  const send = (action, more) => worker.postMessage({ action, ...more });
  let settings = { ...TUTORIAL };
  let state = null; // the last one
  let opened = null; // how many images there are
  let tested = null;

  const show = () => {
    byId("train-data").textContent = opened ? strings()[ONE_FILE ? "trainSample" : "trainData"](opened.train, opened.test) : strings().trainLoading;
    if (!state) return;
    byId("train-run").textContent = strings()[state.running ? "trainPause" : state.learnt ? "trainGoOn" : "trainStart"];
    showProgress(state);
    showDigit(state.answer);
    if (tested) showMistakes(tested);
  };
  const showKnobs = makeKnobs(byId("knobs"), (changed) => set(changed));
  const showSettings = () => {
    showKnobs(settings);
    byId("train-code").textContent = kerasCode(settings);
  };
  const set = (changed) => {
    settings = { ...settings, ...(changed.optimizer && { rate: OPTIMIZERS[changed.optimizer].rate }), ...changed };
    showSettings();
    send("change", { settings });
  };

  worker.onmessage = ({ data }) => {
    if (data.problem) byId("train-problem").textContent = strings().trainProblem(data.problem);
    if (data.opened) opened = data.opened;
    if (data.state) requestAnimationFrame(() => take(data.state));
    else show();
  };
  const take = (sent) => {
    state = sent;
    tested = sent.tested ?? tested;
    for (const id of ["train-run", "train-step", "train-restart"]) byId(id).disabled = false;
    show();
    if (sent.kernel) showUnits(sent.kernel);
    if (sent.tested && sent.learnt) byId("train-status").textContent = strings().trainTested(sent.pass, percent(sent.tested.accuracy));
    send("shown");
  };
  byId("train-run").addEventListener("click", () => send(state.running ? "pause" : "run"));
  byId("train-step").addEventListener("click", () => send("step"));
  byId("train-restart").addEventListener("click", () => send("restart"));
  byId("train-defaults").addEventListener("click", () => set(TUTORIAL));
  new MutationObserver(() => {
    showSettings();
    show();
  }).observe(document.documentElement, { attributeFilter: ["lang"] });
  addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    byId("wrong").replaceChildren(); // their ink has the former colour
    show();
  });
  showSettings();
  show();
  send("shown");
  send("open", { ...imagesSource(), settings });
  return { draw: (pixels) => send("draw", { pixels }), leave: () => send("pause") };
}
