// Part 4 of the page: a network is trained on a function of two variables, refined, pruned and named, step by step.
"use strict";

KAN.trainingView = (() => {
  const { svg, html, say, label, format, plural, reach, plot, whenResized, byId } = KAN.draw;
  const { sample, newNetwork, adam } = KAN.training;

  const TARGETS = ["exp(sin(pi x) + y^2)", "x y", "sqrt(x^2 + y^2)", "sin(pi x) + y^2", "1/(1 + 10 (x - y)^2)"];
  const N_SHOWN = 200; // inputs that scores and curves are made of
  const FRAME = 24; // milliseconds of training between two looks
  const PICTURE_EVERY = 250; // milliseconds
  const MOST_INTERVALS = 80;
  const MOST_RECORDS = 2000; // of errors, all of which are drawn
  const SETTINGS = ["hidden", "intervals", "degree", "seed", "rate", "penalty"];
  const NEED_NETWORK = ["run", "one", "halve", "name", "prune"];

  const state = { network: null, step: null, steps: 0, history: [], events: [], running: false, chosen: null, names: "" };
  let [data, model, picture, drawnAt] = [null, null, null, 0];

  const control = (name) => byId(`train-${name}`);
  const own = (name) => Number(control(name).value);
  const rate = () => 10 ** own("rate");
  const penalty = () => (own("penalty") <= -5 ? 0 : 10 ** own("penalty"));
  const targetText = () => control(control("target").value === "own" ? "own" : "target").value;

  // --- the settings, beside their sliders and in the address of the page

  function labels() {
    const shown = { rate: format(rate(), 2), penalty: format(penalty(), 2) };
    for (const name of SETTINGS) label(`train-${name}`, shown[name] ?? control(name).value);
    byId("train-own-row").hidden = control("target").value !== "own";
  }

  const toAddress = () => KAN.address.write("training", { target: targetText(), ...Object.fromEntries(SETTINGS.map((name) => [name, own(name)])) });

  function follow() {
    if (KAN.address.text("part", "") === "training") {
      const target = KAN.address.text("target", TARGETS[0]);
      control("target").value = TARGETS.includes(target) ? target : "own";
      if (!TARGETS.includes(target)) control("own").value = target;
      for (const name of SETTINGS) control(name).value = KAN.address.slider(name, control(name));
    }
    labels();
    startAgain();
  }

  // --- what the buttons do

  function startAgain() {
    pause();
    say("train-error", "");
    try {
      data = sample(targetText());
    } catch (error) {
      data = null;
      say("train-error", `The target cannot be used: ${error.message}.`);
    }
    state.network = data && newNetwork(own("hidden") === 0 ? [2, 1] : [2, own("hidden"), 1], own("intervals"), own("degree"), own("seed"));
    Object.assign(state, { steps: 0, history: [], events: [], chosen: null, names: "" });
    for (const name of NEED_NETWORK) control(name).disabled = !data;
    byId("train-shown").hidden = !data;
    if (data) changed();
  }

  // After a change of the network's parameters: a new optimizer, and all pictures.
  function changed(event = "") {
    if (event) state.events.push({ at: state.steps, event });
    state.step = adam(state.network);
    record();
    drawAll();
  }

  function errorOn({ x, y }) {
    const [outputs] = KAN.network.forward(state.network, x).at(-1).y;
    return Math.sqrt(outputs.reduce((sum, value, b) => sum + (value - y[0][b]) ** 2, 0) / outputs.length);
  }

  function record() {
    if (state.history.length >= MOST_RECORDS) state.history = state.history.filter((_, n) => n % 2 === 0);
    state.history.push({ at: state.steps, train: errorOn(data.train), test: errorOn(data.test) });
  }

  function train(milliseconds) {
    const until = performance.now() + milliseconds;
    let error = 0; // before the step
    do {
      error = state.step(data.train.x, data.train.y, rate(), penalty()).mse;
      state.steps += 1;
    } while (Number.isFinite(error) && performance.now() < until);
    record();
    if (Number.isFinite(state.history.at(-1).train)) return;
    pause();
    say("train-error", "The error is not a number any more: a symbolic edge has left the domain of its function, or the learning rate is too large. Start again.");
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
    say("train-run", "Train");
  }

  function runOrPause() {
    if (state.running) {
      pause();
      drawAll();
      return;
    }
    state.running = true;
    say("train-run", "Pause");
    requestAnimationFrame(loop);
  }

  function oneStep() {
    pause();
    train(0);
    drawAll();
  }

  const greatestGrid = () => Math.max(...state.network.layers.map(({ nIntervals }) => nIntervals));
  const nLiving = () => state.network.layers.reduce((sum, layer) => sum + KAN.network.livingEdges(layer).length, 0);

  function halve() {
    state.network = KAN.training.halveIntervals(state.network);
    changed(`G = ${greatestGrid()}`);
  }

  function prune() {
    const before = nLiving();
    state.network = KAN.training.prune(state.network, model.scores, own("threshold"));
    changed(`${before - nLiving()} edges removed`);
  }

  function nameEdges() {
    const { network, fits } = KAN.training.nameEdges(state.network, model.values);
    state.network = network;
    const told = fits.map(({ name, miss }) => `${KAN.edgePanel.functionText(name)} (1 − R² = ${format(miss, 2)})`).join(", ");
    state.names = told
      ? `Named: ${told}. Train on: a, b, c and d of every formula are parameters now. They need a smaller learning rate, 0.001 for a start.`
      : "There is no spline edge to name.";
    changed("edges named");
  }

  // --- what is shown

  // The errors over the steps, on a logarithmic axis.
  function showErrors() {
    const { history, events, steps, network } = state;
    const log = (value) => Math.log10(Math.max(value, 1e-16));
    const [low, high] = reach(history.flatMap(({ train: one, test: other }) => [log(one), log(other)]));
    const yDomain = [Math.min(low, high - 1), high];
    const chart = plot(byId("train-curve"), { height: 200, xDomain: [0, Math.max(100, steps)], yDomain, label: "Training and test error over the steps, as powers of ten" });
    for (const { at, event } of events) {
      const right = chart.x(at) < chart.inner.x + 0.75 * chart.inner.width;
      chart.cursor()(at);
      chart.add(svg("text", { x: chart.x(at) + (right ? 4 : -4), y: chart.inner.y + 14, "text-anchor": right ? "start" : "end" }, event));
    }
    for (const name of ["test", "train"]) {
      const ys = history.map((row) => log(row[name]));
      // one point is no line; outside of the clipped group, whose border it touches
      if (ys.length === 1) chart.root.append(svg("circle", { class: name, cx: chart.x(0), cy: chart.y(ys[0]), r: name === "test" ? 6 : 3.5 }));
      else chart.line(`term ${name}`, history.map(({ at }) => at), ys);
    }
    const { train: training, test } = history.at(-1);
    say("train-say", `Step ${steps}: training RMSE ${format(training, 3)}, test RMSE ${format(test, 3)}. [${network.widths.join(", ")}], G = ${greatestGrid()}, ${nLiving()} active edges.`);
  }

  function drawAll() {
    drawnAt = performance.now();
    const focused = document.activeElement.dataset.edge;
    const samples = data.train.x.map((column) => column.slice(0, N_SHOWN));
    model = { network: state.network, names: { inputs: ["x", "y"], outputs: ["output"] }, ...KAN.network.look(state.network, samples) };
    const holder = byId("train-network");
    picture = KAN.networkPicture.draw(holder, model, choose);
    if (focused) holder.querySelector(`[data-edge="${focused}"]`)?.focus();
    const { chosen } = state;
    const alive = chosen && KAN.network.edgeKind(state.network.layers[chosen.layer], chosen.output, chosen.input) !== "dead";
    state.chosen = null;
    if (alive || picture.strongest) choose(alive ? chosen : picture.strongest);
    else KAN.edgePanel.clear("train-edge", "No edge is left");
    say("train-note", picture.note);
    say("train-names", state.names);
    byId("train-halve").disabled = 2 * greatestGrid() > MOST_INTERVALS;
    markWeak();
    showErrors();
  }

  function choose(edge) {
    if (KAN.networkPicture.sameEdge(edge, state.chosen)) return;
    state.chosen = edge;
    picture.markEdge(edge);
    KAN.edgePanel.draw("train-edge", model, edge);
  }

  // The edges that the pruning slider would remove.
  function markWeak() {
    const buttons = [...byId("train-network").querySelectorAll(".edge")];
    const weak = buttons.filter(({ dataset }) => {
      const [layer, output, input] = dataset.edge.split(",");
      return model.scores[layer][output][input] < own("threshold");
    });
    for (const button of buttons) button.classList.toggle("weak", weak.includes(button));
    label("train-threshold", format(own("threshold"), 2));
    say("train-prune", `Remove ${plural(weak.length, "weak edge")}`);
    control("prune").disabled = weak.length === 0;
  }

  function start() {
    control("target").append(...TARGETS.map((text) => html("option", { value: text }, text)), html("option", { value: "own" }, "your own formula"));
    const settled = (isNew) => () => {
      labels();
      if (isNew) startAgain();
      toAddress();
    };
    for (const name of ["target", "own"]) control(name).addEventListener("change", settled(true));
    for (const name of SETTINGS) control(name).addEventListener("input", settled(name !== "rate" && name !== "penalty"));
    const buttons = { run: runOrPause, one: oneStep, again: startAgain, halve, prune, name: nameEdges };
    for (const [name, action] of Object.entries(buttons)) {
      control(name).addEventListener("click", () => {
        say("train-error", "");
        action();
      });
    }
    control("threshold").addEventListener("input", () => state.network && markWeak());
    follow();
    whenResized(byId("train-network"), () => state.network && drawAll());
  }

  return { start, follow, state };
})();
