// The part of the view "Teach" about one's own drawings: it adds and removes them, and saves them to files and opens those.
import { byId } from "../dom.js";
import { strings } from "../strings.js";
import { MOST, openSet } from "./own_set.js";
import { download, packDrawings, readDrawings } from "./save.js";
import { showOwn } from "./shown.js";

/**
 * @param {(label: number) => string} nameOf
 * @param {(text: string) => void} say announces what was done
 * @param {() => void} onChange called when the drawings have changed
 */
export function createOwn(nameOf, say, onChange) {
  let set = null; // none before a model is open
  let classes = 0;
  let problem = null; // the name of a string, and what it takes
  const all = () => set?.all() ?? [];

  const show = () => {
    const count = all().length;
    byId("own-count").textContent = count ? strings().ownCount(count) : strings().ownNone;
    byId("own-stored").hidden = !set || set.isStored();
    byId("own-save").disabled = byId("own-clear").disabled = !count;
    byId("own-open").disabled = !set;
    byId("own-problem").textContent = problem ? strings()[problem[0]](...problem.slice(1)) : "";
    byId("own-question").textContent = strings().ownAsk(count);
    showOwn(all(), nameOf, remove);
  };
  const changed = (text) => {
    problem = null;
    say(text);
    onChange();
  };
  const remove = (drawing) => {
    const next = all()[all().indexOf(drawing) + 1] ?? all().at(-2);
    set.remove(drawing);
    changed(strings().ownRemoved(all().length));
    focusOn(next);
  };
  /** The focus stays where it was: at the drawing that follows the removed one. */
  const focusOn = (drawing) => {
    const place = all().indexOf(drawing);
    (byId("own").querySelectorAll("button")[place] ?? byId("own-open")).focus();
  };
  const fail = (...found) => {
    problem = found;
    show();
  };
  const open = async (file) => {
    if (!file) return;
    const into = set;
    problem = null;
    show();
    const { drawings, problem: found } = await readDrawings(file, classes);
    if (set !== into) return; // another model was opened meanwhile
    if (found) return fail(...found);
    if (all().length + drawings.length > MOST) return fail("teachFileMany", all().length + drawings.length, MOST);
    changed(strings().ownOpened(set.add(drawings), all().length));
  };

  byId("own-save").addEventListener("click", () => download("my_drawings.npz", packDrawings(all())));
  byId("own-open").addEventListener("click", () => byId("own-file").click());
  byId("own-file").addEventListener("change", async ({ target }) => {
    const [file] = target.files;
    await open(file);
    target.value = ""; // so that the same file can be opened again
  });
  byId("own-clear").addEventListener("click", () => byId("own-ask").showModal());
  byId("own-keep").addEventListener("click", () => byId("own-ask").close());
  byId("own-remove").addEventListener("click", () => {
    set.clear();
    byId("own-ask").close();
    changed(strings().ownRemoved(0));
    byId("own-open").focus();
  });

  return {
    all,
    show,
    isOpen: () => set !== null,
    open(names, count) {
      set = openSet(names, count);
      classes = count;
      problem = null;
    },
    /** Add a drawing; returns whether it was added, or was there. */
    add(label, image) {
      if (label >= classes) return false;
      if (all().length >= MOST) {
        fail("ownFull", MOST);
        return false;
      }
      changed(strings()[set.add([{ label, image }]) ? "labelled" : "labelledTwice"](nameOf(label), all().length));
      return true;
    },
  };
}
