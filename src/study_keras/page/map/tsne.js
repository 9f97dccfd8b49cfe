// t-SNE (van der Maaten and Hinton 2008): places points in a plane so that those that are near each other stay near.

const PERPLEXITY = 30; // about how many neighbours a point has
const NEIGHBOURS = 3 * PERPLEXITY; // beyond them the likelihood is nearly 0
const EXAGGERATED = 100; // steps in which likelihoods count 12 times, so that groups form
const EXAGGERATION = 12;

/**
 * @param {Float32Array} points (count, width), the first two columns the strongest
 * @returns {{places: Float32Array, step: () => void}} `places` (count, 2), which each step changes
 */
export function createTsne(points, count) {
  const { partners, likelihoods, neighbours } = likelihoodsOf(points, count);
  const places = firstPlaces(points, count);
  const [speed, gains, forces] = [0, 1, 0].map((value) => new Float32Array(2 * count).fill(value));
  const rate = Math.max(count / EXAGGERATION / 4, 50); // Belkina et al. 2019
  let steps = 0;

  function step() {
    const exaggeration = steps < EXAGGERATED ? EXAGGERATION : 1;
    const momentum = steps < EXAGGERATED ? 0.5 : 0.8;
    repel(places, forces, count);
    for (let i = 0; i < count; i++) {
      const [x, y] = [places[2 * i], places[2 * i + 1]];
      for (let n = i * neighbours; n < (i + 1) * neighbours; n++) {
        const j = partners[n];
        const [dx, dy] = [x - places[2 * j], y - places[2 * j + 1]];
        const pull = (exaggeration * likelihoods[n]) / (1 + dx * dx + dy * dy);
        forces[2 * i] += pull * dx;
        forces[2 * i + 1] += pull * dy;
        forces[2 * j] -= pull * dx;
        forces[2 * j + 1] -= pull * dy;
      }
    }
    for (let k = 0; k < places.length; k++) {
      gains[k] = forces[k] * speed[k] < 0 ? gains[k] + 0.2 : Math.max(0.8 * gains[k], 0.01);
      speed[k] = momentum * speed[k] - rate * gains[k] * 4 * forces[k];
      places[k] += speed[k];
    }
    steps++;
  }
  return { places, step };
}

/** Set the forces by which all points push each other away. */
function repel(places, forces, count) {
  forces.fill(0);
  let whole = 0;
  for (let i = 0; i < count; i++) {
    const [x, y] = [places[2 * i], places[2 * i + 1]];
    let [ownX, ownY] = [0, 0];
    for (let j = i + 1; j < count; j++) {
      const [dx, dy] = [x - places[2 * j], y - places[2 * j + 1]];
      const near = 1 / (1 + dx * dx + dy * dy);
      whole += 2 * near;
      const [pushX, pushY] = [near * near * dx, near * near * dy];
      ownX += pushX;
      ownY += pushY;
      forces[2 * j] += pushX;
      forces[2 * j + 1] += pushY;
    }
    forces[2 * i] -= ownX;
    forces[2 * i + 1] -= ownY;
  }
  for (let k = 0; k < forces.length; k++) forces[k] /= whole;
}

/** For each point its neighbours, and how likely it is a neighbour of each; all likelihoods of a step sum up to 1. */
function likelihoodsOf(points, count) {
  const width = points.length / count;
  const neighbours = Math.min(NEIGHBOURS, count - 1);
  const partners = new Uint32Array(count * neighbours);
  const likelihoods = new Float32Array(count * neighbours);
  const away = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < count; j++) away[j] = j === i ? Infinity : squaredDistance(points, i * width, j * width, width);
    const nearest = Uint32Array.from(away.keys()).sort((a, b) => away[a] - away[b]).subarray(0, neighbours);
    partners.set(nearest, i * neighbours);
    const chances = withPerplexity(Float32Array.from(nearest, (j) => away[j]));
    // Half of what one thinks of the other and half of what the other thinks: each pair is visited from both sides.
    likelihoods.set(chances.map((chance) => chance / (2 * count)), i * neighbours);
  }
  return { partners, likelihoods, neighbours };
}

function squaredDistance(points, one, other, width) {
  let sum = 0;
  for (let i = 0; i < width; i++) sum += (points[one + i] - points[other + i]) ** 2;
  return sum;
}

/** Likelihoods of a Gaussian, as wide as it takes for PERPLEXITY neighbours, by bisection. */
function withPerplexity(away) {
  const wanted = Math.log(Math.min(PERPLEXITY, away.length / 2));
  let [low, high, sharpness] = [0, Infinity, 1 / (away[away.length >> 1] || 1)];
  let chances = away;
  for (let round = 0; round < 40; round++) {
    chances = away.map((distance) => Math.exp(-sharpness * (distance - away[0])));
    const whole = chances.reduce((sum, chance) => sum + chance, 0);
    chances = chances.map((chance) => chance / whole);
    const entropy = chances.reduce((sum, chance) => sum - (chance > 0 ? chance * Math.log(chance) : 0), 0);
    if (Math.abs(entropy - wanted) < 1e-4) break;
    if (entropy > wanted) low = sharpness;
    else high = sharpness;
    sharpness = high === Infinity ? 2 * sharpness : (low + high) / 2;
  }
  return chances;
}

/** The first two components, very small: the map unfolds from there. */
function firstPlaces(points, count) {
  const width = points.length / count;
  const places = Float32Array.from({ length: 2 * count }, (_, k) => points[(k >> 1) * width + (k % 2)]);
  const spread = Math.sqrt(places.reduce((sum, value) => sum + value * value, 0) / places.length) || 1;
  return places.map((value) => (1e-4 * value) / spread);
}
