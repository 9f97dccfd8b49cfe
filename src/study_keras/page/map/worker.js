// The worker that makes the map, beside the page: components first, then t-SNE, step by step.
import { principalComponents, project } from "./pca.js";
import { createTsne } from "./tsne.js";

const COMPONENTS = 32;
const STEPS = 500;
const EVERY = 40; // milliseconds between two states

onmessage = ({ data: { features, count } }) => {
  const components = principalComponents(features, count, Math.min(COMPONENTS, features.length / count, count));
  const points = project(features, count, components);
  const { places, step } = createTsne(points, count);
  postMessage({ components, points });
  let sent = performance.now();
  for (let number = 1; number <= STEPS; number++) {
    step();
    if (number < STEPS && performance.now() - sent < EVERY) continue;
    postMessage({ places: places.slice(), done: number === STEPS });
    sent = performance.now();
  }
};
