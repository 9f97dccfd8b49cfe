// The view "Map": test images placed by what the network's last hidden layer gives for them, and the drawing among them.
import { byId, make } from "../dom.js";
import { layerTitle } from "../layer_names.js";
import { mnist, someOf } from "../mnist.js";
import { strings } from "../strings.js";
import { drawInk } from "../train/pictures.js";
import { startWorker } from "../workers.js";
import { featuresOf, lastHidden } from "./features.js";
import { nearest, placeAmong } from "./nearest.js";
import { project } from "./pca.js";
import { drawMap } from "./plot.js";

const IMAGES = 2000; // as many as the one-file page has there, if it has fewer
const NEIGHBOURS = 8;

/** @returns {import("../views.js").View} */
export function createView(page) {
  let map = null; // of the model in view: its images, their places, and what else plot.js draws
  let problem = null; // a function, so that it follows the language
  let worker = null;
  let pixels = null; // the drawing
  let drawn = null; // its neighbours
  let atPlace = () => null;

  async function remodel() {
    worker?.terminate();
    [map, worker, drawn, problem] = [null, null, null, null];
    showChosen(null);
    const open = page.open();
    if (!open) return show();
    if (!open.model.layers) problem = () => strings().mapNoLayers;
    else placeImages(open).catch((error) => {
      problem = () => strings().mapProblem(error.message ?? error);
      show();
    });
    show();
  }

  async function placeImages({ model, entry }) {
    const images = someOf((await mnist()).test, IMAGES);
    const found = await featuresOf(model, images, () => page.open()?.model === model);
    if (!found) return;
    const ringed = model.classes === 10 && !entry.classes;
    const own = startWorker("map");
    worker = own;
    own.onmessage = ({ data }) => {
      if (own !== worker) return; // another model is in view
      if (data.points) {
        map = { ...data, model, images, said: found.said, ringed, places: null };
        draw(pixels); // it has waited for the map
      } else map.places = data.places;
      if (data.done) byId("map-progress").textContent = strings().mapDone;
      requestAnimationFrame(show);
    };
    own.postMessage({ features: found.features, count: images.labels.length }, [found.features.buffer]);
  }

  function show() {
    const { images, said, ringed, places } = map ?? {};
    byId("map-note").textContent = problem?.() ?? (places ? noteOf(map) : strings().mapLoading);
    showNeighbours();
    byId("map").hidden = Boolean(problem);
    if (!places) return;
    const { labels } = images;
    atPlace = drawMap(byId("map"), {
      places,
      labels,
      wrong: (at) => ringed && said[at] !== labels[at],
      own: drawn && placeAmong(drawn, places),
      chosen: map.chosen ?? null,
    });
    byId("map").setAttribute("aria-label", strings().mapLabel(labels.length, drawn && labels[drawn[0].at]));
  }

  function showNeighbours() {
    byId("neighbours-said").textContent = strings()[drawn ? "neighboursSaid" : "neighboursNothing"];
    const item = ({ at }) => make("li", {}, pictureOf(map.images, at), String(map.images.labels[at]));
    byId("neighbours").replaceChildren(...(drawn ?? []).map(item));
  }

  function showChosen(at) {
    if (map) map.chosen = at;
    const parts = at === null ? [] : [pictureOf(map.images, at), strings().mapOne(map.images.labels[at], map.said[at])];
    byId("map-chosen").replaceChildren(...parts);
  }

  async function draw(drawing) {
    const own = map;
    [pixels, drawn] = [drawing, null];
    if (own && pixels) {
      const { name } = lastHidden(own.model.layers.list());
      const place = project(await own.model.layers.outputs(name, pixels, 1), 1, own.components);
      if (own === map) drawn = nearest(place, own.points, NEIGHBOURS);
    }
    show();
  }

  function point(event) {
    const box = byId("map").getBoundingClientRect();
    const at = atPlace(event.clientX - box.left, event.clientY - box.top);
    if (at === null || at === map.chosen) return;
    showChosen(at);
    show();
  }
  for (const type of ["pointermove", "pointerdown"]) byId("map").addEventListener(type, point);
  new MutationObserver(show).observe(document.documentElement, { attributeFilter: ["lang"] });
  addEventListener("resize", show);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  return { draw, remodel };
}

function noteOf({ model, images, ringed }) {
  const layers = model.layers.list();
  return strings().mapNote(images.labels.length, layerTitle(lastHidden(layers), layers), ringed);
}

function pictureOf({ pixels }, at) {
  const canvas = make("canvas", { ariaHidden: "true" });
  drawInk(canvas, pixels.subarray(784 * at, 784 * (at + 1)), getComputedStyle(document.body).getPropertyValue("--text"));
  return canvas;
}
