// Part 4 of the page at work: its controls, and training step by step.
"use strict";

// The controls of part 4: their values, what stands beside them, and the address of the page.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { format, byId } = KAN.draw;
  const { TARGETS } = KAN.trainingData;

  const own = (name) => Number(byId(name).value);
  const rate = () => 10 ** own("train-rate");
  const penalty = () => (own("train-penalty") <= -5 ? 0 : 10 ** own("train-penalty"));
  const widths = () => (own("train-hidden") === 0 ? [2, 1] : [2, own("train-hidden"), 1]);

  const targetText = () => (byId("train-target").value === "own" ? byId("train-own").value : byId("train-target").value);

  function labels() {
    const shown = { "train-hidden": String(own("train-hidden")), "train-intervals": String(own("train-intervals")), "train-degree": String(own("train-degree")),
      "train-rate": format(rate(), 2), "train-penalty": penalty() === 0 ? "0" : format(penalty(), 2), "train-seed": String(own("train-seed")) };
    for (const [name, text] of Object.entries(shown)) {
      byId(`${name}-value`).textContent = text;
      byId(name).setAttribute("aria-valuetext", text);
    }
    byId("train-own-row").hidden = byId("train-target").value !== "own";
  }

  function fromAddress() {
    if (KAN.address.text("part", "") !== "training") return false;
    const target = KAN.address.text("target", TARGETS[0]);
    byId("train-target").value = TARGETS.includes(target) ? target : "own";
    if (!TARGETS.includes(target)) byId("train-own").value = target;
    for (const name of ["hidden", "intervals", "degree", "rate", "penalty", "seed"]) {
      const slider = byId(`train-${name}`);
      slider.value = KAN.address.number(name, Number(slider.defaultValue), Number(slider.min), Number(slider.max));
    }
    return true;
  }

  function toAddress() {
    KAN.address.write("training", { target: targetText(), hidden: own("train-hidden"), intervals: own("train-intervals"), degree: own("train-degree"),
      rate: own("train-rate"), penalty: own("train-penalty"), seed: own("train-seed") });
  }

  KAN.trainingControls = { own, rate, penalty, widths, targetText, labels, fromAddress, toAddress };
})(globalThis);

// Part 4 of the page: a network is trained on a function of two variables, refined, pruned and named, step by step.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { html, format, whenResized, byId } = KAN.draw;
  const { own, rate, penalty, widths, targetText, labels, fromAddress, toAddress } = KAN.trainingControls;
  const { runForward } = KAN.backward;
  const { TARGETS, VARIABLES, N_SAMPLES, PIXELS } = KAN.trainingData;
  const { drawErrors, drawMaps, drawEdge, markWeak, showSample } = KAN.trainingPicture;

  const FRAME = 24; // milliseconds of training between two looks
  const PICTURE_EVERY = 250; // milliseconds
  const MOST_INTERVALS = 80;
  const MOST_RECORDS = 2000; // of errors, all of which are drawn
  const NEED_NETWORK = ["train-run", "train-one", "train-halve", "train-name", "train-prune"];

  const state = { network: null, step: null, steps: 0, history: [], events: [], running: false, chosen: null, names: "" };
  let [data, model, picture, drawnAt] = [null, null, null, 0];

  const outputsOn = ({ x }) => runForward(state.network, x).at(-1).y[0];
  const errorOn = (part) => Math.sqrt(outputsOn(part).reduce((sum, value, b) => sum + (value - part.y[0][b]) ** 2, 0) / part.x[0].length);

  const last = () => state.history[state.history.length - 1];

  function record() {
    if (state.history.length >= MOST_RECORDS) state.history = KAN.training.thinned(state.history);
    state.history.push({ steps: state.steps, train: errorOn(data.train), test: errorOn(data.test) });
  }

  // --- what the buttons do

  function startAgain() {
    pause();
    const text = targetText();
    try {
      data = KAN.trainingData.make(text);
      tell("");
    } catch (error) {
      tell(`The target cannot be used: ${error.message}.`);
      clear();
      return;
    }
    state.network = KAN.training.newNetwork(widths(), own("train-intervals"), own("train-degree"), own("train-seed"));
    Object.assign(state, { steps: 0, history: [], events: [], chosen: null, names: "" });
    for (const name of NEED_NETWORK) byId(name).disabled = false;
    byId("train-shown").hidden = false;
    changed();
  }

  // Without a target there is nothing to train and nothing to show.
  function clear() {
    state.network = null;
    for (const name of NEED_NETWORK) byId(name).disabled = true;
    byId("train-shown").hidden = true;
  }

  // After a change of the network's parameters: a new optimizer, and all pictures.
  function changed(event = "") {
    if (event) state.events.push({ steps: state.steps, event });
    state.step = KAN.training.adam(state.network);
    record();
    drawAll();
  }

  function train(milliseconds) {
    const until = performance.now() + milliseconds;
    let error = 0; // before the step
    do {
      error = state.step(data.train.x, data.train.y, rate(), penalty()).mse;
      state.steps += 1;
    } while (Number.isFinite(error) && performance.now() < until);
    record();
    if (Number.isFinite(last().train)) return;
    pause();
    tell("The error is not a number any more: a symbolic edge has left the domain of its function, or the learning rate is too large. Start again.");
  }

  function loop() {
    if (!state.running) return;
    train(FRAME);
    showErrors();
    if (!state.running || performance.now() - drawnAt > PICTURE_EVERY) drawAll();
    requestAnimationFrame(loop);
  }

  function pause() {
    state.running = false;
    byId("train-run").textContent = "Train";
  }

  function runOrPause() {
    if (state.running) {
      pause();
      drawAll();
      return;
    }
    tell("");
    state.running = true;
    byId("train-run").textContent = "Pause";
    requestAnimationFrame(loop);
  }

  function halve() {
    const most = Math.max(...state.network.layers.map(({ nIntervals }) => nIntervals));
    if (2 * most > MOST_INTERVALS) {
      tell(`A grid of this page has at most ${MOST_INTERVALS} intervals.`);
      return;
    }
    state.network = KAN.training.halveIntervals(state.network);
    changed(`G = ${2 * most}`);
  }

  function prune() {
    const before = nLiving();
    state.network = KAN.training.prune(state.network, model.scores, own("train-threshold"));
    changed(`${before - nLiving()} edges removed`);
  }

  function nameEdges() {
    const { network, fits } = KAN.training.nameEdges(state.network, model.inputs);
    state.network = network;
    state.names = fits.length ? `Named: ${fits.map(({ name, miss }) => `${KAN.edgePanel.functionText(name)} (1 − R² = ${KAN.draw.formatSmall(miss)})`).join(", ")}. Train on: a, b, c and d of every formula are parameters now. They need a smaller learning rate, 0.001 for a start.` : "There is no spline edge to name.";
    changed("edges named");
  }

  const nLiving = () => state.network.layers.reduce((sum, layer) => sum + KAN.network.livingEdges(layer).length, 0);

  // --- what is shown

  function tell(sentence) {
    byId("train-error").textContent = sentence;
    byId("train-error").hidden = sentence === "";
  }

  function say() {
    const { train: training, test } = last();
    const grids = [...new Set(state.network.layers.map(({ nIntervals }) => nIntervals))];
    byId("train-say").textContent = `Step ${state.steps}: training RMSE ${format(training, 3)}, test RMSE ${format(test, 3)}. [${state.network.widths.join(", ")}], G = ${grids.join(", ")}, ${nLiving()} active edges.`;
    byId("train-names").textContent = state.names;
    byId("train-halve").disabled = 2 * Math.max(...grids) > MOST_INTERVALS;
  }

  function showErrors() {
    drawErrors(state);
    say();
  }

  function drawAll() {
    drawnAt = performance.now();
    const focused = root.document.activeElement && root.document.activeElement.dataset ? root.document.activeElement.dataset.edge : undefined;
    model = { network: state.network, names: { inputs: VARIABLES, outputs: ["output"] }, ...KAN.network.look(state.network, data.points) };
    const holder = byId("train-network");
    picture = KAN.networkPicture.draw(holder, model, holder.clientWidth, choose);
    if (focused && holder.querySelector(`[data-edge="${focused}"]`)) holder.querySelector(`[data-edge="${focused}"]`).focus();
    const alive = state.chosen && KAN.network.edgeKind(state.network.layers[state.chosen.layer], state.chosen.output, state.chosen.input) !== "dead";
    if (!alive) state.chosen = picture.strongest;
    if (state.chosen) picture.markEdge(state.chosen);
    byId("train-note").textContent = picture.note;
    markWeak(model, own("train-threshold"));
    drawEdge(model, state.chosen);
    drawMaps(data.raster.y[0], outputsOn(data.raster));
    showSample(model, picture, data.train, own("train-sample"));
    showErrors();
  }

  function choose(edge) {
    const { layer, output, input } = edge;
    if (state.chosen && layer === state.chosen.layer && output === state.chosen.output && input === state.chosen.input) return;
    state.chosen = { layer, output, input };
    picture.markEdge(state.chosen);
    drawEdge(model, state.chosen);
  }

  // Takes another target and other settings from the address.
  function follow() {
    if (!fromAddress()) return;
    labels();
    startAgain();
  }

  function start() {
    byId("train-target").append(...TARGETS.map((text) => html("option", { value: text }, text)), html("option", { value: "own" }, "your own formula"));
    for (const name of ["map-target", "map-network", "map-difference"]) Object.assign(byId(name), { width: PIXELS, height: PIXELS });
    byId("train-sample").max = N_SAMPLES - 1;
    fromAddress();
    const fresh = () => {
      labels();
      startAgain();
      toAddress();
    };
    const relabel = () => {
      labels();
      toAddress();
    };
    for (const name of ["train-target", "train-own"]) byId(name).addEventListener("change", fresh);
    for (const name of ["train-hidden", "train-intervals", "train-degree", "train-seed"]) byId(name).addEventListener("input", fresh);
    for (const name of ["train-rate", "train-penalty"]) byId(name).addEventListener("input", relabel);
    byId("train-run").addEventListener("click", runOrPause);
    byId("train-one").addEventListener("click", () => {
      pause();
      train(0);
      drawAll();
    });
    const buttons = { "train-again": startAgain, "train-halve": halve, "train-prune": prune, "train-name": nameEdges };
    for (const [name, action] of Object.entries(buttons)) {
      byId(name).addEventListener("click", () => {
        tell("");
        action();
      });
    }
    const shown = (action) => () => state.network && action();
    byId("train-threshold").addEventListener("input", shown(() => markWeak(model, own("train-threshold"))));
    byId("train-sample").addEventListener("input", shown(() => showSample(model, picture, data.train, own("train-sample"))));
    labels();
    startAgain();
    whenResized(byId("train-network"), shown(drawAll));
  }

  KAN.trainingView = { start, follow, state };
})(globalThis);
