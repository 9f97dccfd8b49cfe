// The two views of the page, reading and training. The address names the one that is open, so that Back works.

/**
 * @param {() => void} onSwitch called when the other view has been opened
 * @returns {{isOpen: () => boolean, draw: (pixels: Float32Array | null) => void}} of the view "Train"
 */
export function followView(onSwitch) {
  let view = null; // a promise: its code is loaded when it is first opened
  const isOpen = () => location.hash === "#train";
  const follow = async () => {
    document.querySelector("main").dataset.view = isOpen() ? "train" : "read";
    for (const link of document.querySelectorAll("nav a")) {
      if (link.hash === (isOpen() ? "#train" : "#read")) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    if (isOpen()) view ??= import("./view.js").then(({ createView }) => createView());
    onSwitch();
    if (!isOpen()) (await view)?.pause();
  };
  addEventListener("hashchange", follow);
  if (isOpen()) queueMicrotask(follow); // when the page has been set up
  return { isOpen, draw: (pixels) => view?.then(({ draw }) => draw(pixels)) };
}
