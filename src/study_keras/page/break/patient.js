// The network that is damaged: it keeps the original weights, and gives them back.
import { damaged, hasKernel, isWhole } from "./damage.js";

/**
 * @param {NonNullable<import("../model.js").Model["layers"]>} inside the layers of the open model
 */
export function createPatient(inside) {
  const layers = inside.list();
  const originals = new Map(layers.filter(hasKernel).map(({ name }) => [name, inside.weights(name)]));
  const changed = new Map(); // by the names of the layers that are not whole

  const restore = () => {
    for (const name of changed.keys()) inside.setWeights(name, originals.get(name));
  };
  return {
    layers,
    /** @param {Record<string, import("./damage.js").Damage>} damages by the names of the layers; none: it is whole */
    damage(damages) {
      restore();
      changed.clear();
      layers.forEach((layer, i) => {
        if (!damages[layer.name] || isWhole(damages[layer.name])) return;
        changed.set(layer.name, damaged(layer, originals.get(layer.name), damages[layer.name], i + 1));
      });
      for (const [name, weights] of changed) inside.setWeights(name, weights);
    },
    /** What `ask` returns of the whole network. It must not wait for anything before it has read the weights. */
    whole(ask) {
      restore();
      try {
        return ask();
      } finally {
        for (const [name, weights] of changed) inside.setWeights(name, weights);
      }
    },
    /** Let the open model be what it was; the damage is forgotten. */
    release() {
      restore();
      changed.clear();
    },
  };
}
