// Finds and makes elements.

/** The element of the page with an id. */
export const byId = (id) => document.getElementById(id);

/**
 * Make an element with its properties and its content.
 * @param {string} name such as "div"
 * @param {object} [properties] such as {className: "knob"}
 * @param {...(Node | string)} content
 */
export function make(name, properties, ...content) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...content);
  return element;
}
