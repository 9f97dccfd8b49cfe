// A person's own drawings, each with its label. They stay on this device: in the browser's storage, if it lets the page.
import { bytesOf } from "../inflate.js";

export const MOST = 1000; // drawings: about 1 MB of storage
const KEY = "hello-mnist-drawings";

/** @typedef {{label: number, image: Uint8Array, text: string}} Drawing 784 bytes from 0 (paper) to 255 (ink), also in base64 */

/**
 * The drawings for networks of these classes, those that were stored before included.
 * @param {string[] | undefined} names of the classes; undefined for those that are numbers
 * @param {number} classes how many there are
 */
export function openSet(names, classes) {
  const key = `${KEY}-${names?.join() ?? classes}`;
  let stored = canStore();
  let drawings = readStored(key, classes);
  const change = (changed) => {
    drawings = changed;
    stored = store(key, drawings);
  };
  return {
    /** @returns {Drawing[]} in the order of their labels, those of a label in the order in which they came */
    all: () => drawings,
    /** Whether they are kept when the page is closed. */
    isStored: () => stored,
    /** Add drawings that are not there yet; the caller keeps to MOST. Returns how many were added. */
    add(more) {
      const known = new Set(drawings.map(keyOf));
      const added = [];
      for (const one of more.map(withText)) {
        if (known.has(keyOf(one))) continue;
        known.add(keyOf(one));
        added.push(one);
      }
      if (added.length) change([...drawings, ...added].sort((one, other) => one.label - other.label));
      return added.length;
    },
    remove: (drawing) => change(drawings.filter((one) => one !== drawing)),
    clear: () => change([]),
  };
}

function keyOf({ label, text }) {
  return `${label} ${text}`;
}

function withText({ label, image }) {
  return { label, image, text: btoa(String.fromCharCode(...image)) };
}

function canStore() {
  try {
    return Boolean(localStorage);
  } catch {
    return false; // storage may be blocked
  }
}

function store(key, drawings) {
  try {
    if (drawings.length) localStorage.setItem(key, JSON.stringify(drawings.map(({ label, text }) => [label, text])));
    else localStorage.removeItem(key);
    return true;
  } catch {
    return false; // blocked, or full
  }
}

/** What was stored; nothing if it is damaged. */
function readStored(key, classes) {
  try {
    const drawings = JSON.parse(localStorage.getItem(key) ?? "[]").map(([label, text]) => ({ label, image: bytesOf(text), text }));
    const sound = ({ label, image }) => Number.isInteger(label) && label >= 0 && label < classes && image.length === 784;
    return drawings.length <= MOST && drawings.every(sound) ? drawings : [];
  } catch {
    return [];
  }
}
