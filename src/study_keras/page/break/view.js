// The view "Break".

/** @returns {import("../views.js").View} */
export function createView(page) {
  return { draw: () => {} };
}
