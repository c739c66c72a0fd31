// What part 4 of the page trains on: samples of a target, which a text defines, and the raster on which maps show it.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { format } = KAN.draw;

  const TARGETS = ["exp(sin(pi x) + y^2)", "x y", "sqrt(x^2 + y^2)", "sin(pi x) + y^2", "1/(1 + 10 (x - y)^2)"];
  const [N_SAMPLES, N_SHOWN] = [400, 200]; // to train on; inputs that scores, curves and histograms are made of
  const VARIABLES = ["x", "y"];
  const GREATEST = 1e6;
  const PIXELS = 36; // of a map, in each direction

  const columns = (points) => [0, 1].map((i) => Float64Array.from(points, (point) => point[i]));

  // Training samples and test samples in the box, their targets, and the target on the raster of the maps.
  function make(text) {
    const target = KAN.expression.read(text, VARIABLES);
    const box = KAN.training.newNetwork([2, 1], 1, 1, 0);
    const all = KAN.network.samples(box, 2 * N_SAMPLES);
    const raster = Array.from({ length: PIXELS * PIXELS }, (_, n) => [-1 + (2 * ((n % PIXELS) + 0.5)) / PIXELS, 1 - (2 * (Math.floor(n / PIXELS) + 0.5)) / PIXELS]);
    const part = (points) => ({ x: columns(points), y: [Float64Array.from(points, target)] });
    const made = { train: part(all.slice(0, N_SAMPLES)), test: part(all.slice(N_SAMPLES)), raster: part(raster), points: all.slice(0, N_SHOWN) };
    for (const { x, y: [values] } of [made.train, made.test, made.raster]) {
      const bad = values.findIndex((value) => !(Math.abs(value) <= GREATEST));
      if (bad >= 0) throw new Error(`at x = ${format(x[0][bad])}, y = ${format(x[1][bad])} the target is ${format(values[bad])}; on all of [−1, 1]² it has to be a number of at most ${GREATEST}`);
    }
    return made;
  }

  KAN.trainingData = { make, TARGETS, VARIABLES, N_SAMPLES, PIXELS };
})(globalThis);
