// The views of the page. The address names the one that is open, so that Back works.
const VIEWS = {
  train: () => import("./train/view.js"),
  break: () => import("./break/view.js"),
  teach: () => import("./teach/view.js"),
  map: () => import("./map/view.js"),
};
const FIRST = "read"; // main.js itself

/**
 * @typedef {object} View what the function createView(page) of a view's module returns, where page.open() is
 *   {model, entry}, or null while no model is loaded, and page.clear() clears the drawing area
 * @property {(pixels: Float32Array | null) => void} draw shows the answer to a drawing; called when the view is opened, too
 * @property {() => void} [leave] called when another view has been opened
 * @property {() => void} [remodel] called before `draw` if another model has been opened since the last call
 */

/**
 * @param {{open: () => {model: object, entry: object} | null, clear: () => void}} page
 * @param {() => void} onSwitch called when another view has been opened
 * @returns {{isReading: () => boolean, draw: (pixels: Float32Array | null) => Promise<void>}}
 */
export function followViews(page, onSwitch) {
  const made = {}; // promises: the code of a view is loaded when it is first opened
  let now = FIRST;
  const models = {}; // the model that each view was last shown with
  const follow = async () => {
    const former = now;
    now = Object.hasOwn(VIEWS, location.hash.slice(1)) ? location.hash.slice(1) : FIRST;
    document.querySelector("main").dataset.view = now;
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === `#${now}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (now !== FIRST) made[now] ??= VIEWS[now]().then(({ createView }) => createView(page));
    if (former !== now) (await made[former])?.leave?.();
    onSwitch();
  };
  addEventListener("hashchange", follow);
  if (location.hash) queueMicrotask(follow); // when the page has been set up
  return {
    isReading: () => now === FIRST,
    async draw(pixels) {
      const name = now;
      const view = await made[name];
      if (!view || name !== now) return; // another has been opened meanwhile, and draws when it is ready
      const model = page.open()?.model;
      if (models[name] !== model) {
        models[name] = model;
        await view.remodel?.();
      }
      await view.draw(pixels);
    },
  };
}
