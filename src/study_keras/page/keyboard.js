// Drawing with the keyboard: arrow keys move a pen, Space lowers and lifts it.
import { HEIGHT, WIDTH } from "./drawing.js";

const STEP = 6; // in the units of the drawing area
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * @param {HTMLCanvasElement} canvas has the focus
 * @param {object} pad as returned by createPad
 * @param {HTMLElement} cursor shown at the pen
 * @param {(down: boolean) => void} onPen called when the pen is lowered or lifted
 * @returns {() => void} lifts the pen
 */
export function drawByKeys(canvas, pad, cursor, onPen) {
  const pen = { x: WIDTH / 2, y: HEIGHT / 4, down: false };
  const held = new Set(); // two arrows at once make a diagonal
  const show = () => {
    cursor.style.left = `${(pen.x / WIDTH) * 100}%`;
    cursor.style.top = `${(pen.y / HEIGHT) * 100}%`;
    cursor.classList.toggle("down", pen.down);
  };
  const lift = () => {
    if (pen.down) pad.end();
    pen.down = false;
    show();
  };
  const move = () => {
    for (const key of held) {
      pen.x = Math.min(Math.max(pen.x + STEP * MOVES[key][0], 0), WIDTH);
      pen.y = Math.min(Math.max(pen.y + STEP * MOVES[key][1], 0), HEIGHT);
    }
    if (pen.down) pad.extend([pen.x, pen.y]);
    show();
  };
  const press = () => {
    if (pen.down) lift();
    else {
      pen.down = true;
      pad.begin(pen.x, pen.y);
      show();
    }
    onPen(pen.down);
  };
  canvas.addEventListener("keydown", (event) => {
    if (event.altKey || (event.ctrlKey && event.key !== "z") || event.metaKey) return;
    if (event.key in MOVES) {
      held.add(event.key);
      move();
    } else if (event.key === " ") press();
    else if (event.key === "Backspace" || event.key === "z") {
      lift();
      pad.undo();
    } else if (event.key === "Delete" || event.key === "Escape") {
      lift();
      pad.clear();
    } else return;
    cursor.hidden = false;
    event.preventDefault();
  });
  canvas.addEventListener("keyup", (event) => held.delete(event.key));
  canvas.addEventListener("blur", () => {
    held.clear();
    lift();
    cursor.hidden = true;
  });
  canvas.addEventListener("pointerdown", () => {
    lift();
    cursor.hidden = true;
  });
  show();
  return lift;
}
