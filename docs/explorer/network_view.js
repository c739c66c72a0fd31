// Part 3 of the page at work: choosing an example or a file, sliders for the inputs, the picture, and the panel of one edge.
"use strict";

(function (root) {
  const KAN = (root.KAN = root.KAN || {});
  const { html, format, subscript, whenResized, byId } = KAN.draw;

  const N_SAMPLES = 400;
  const MOST_WORK = 1.5e6; // edges times samples: a large network is looked at on fewer
  const MOST_SLIDERS = 16;
  const SEARCHED = `A coarse search on this page among ${KAN.affineFit.nCandidates} functions, on up to 120 samples; kan_ref.suggest_symbolic has more functions and a finer search.`;

  let model = null;
  let picture = null;
  let chosen = null;
  let inputs = [];

  // A network with all that is shown of it. `extra`: names and suggestions that an example brings.
  function modelOf(network, extra) {
    const nEdges = network.layers.reduce((sum, layer) => sum + layer.nInputs * layer.nOutputs, 0);
    const points = KAN.network.samples(network, Math.max(20, Math.min(N_SAMPLES, Math.floor(MOST_WORK / nEdges))));
    const looked = KAN.network.look(network, points);
    const [nInputs, nOutputs] = [network.widths[0], network.widths[network.widths.length - 1]];
    const numbered = (letter, n) => (n === 1 && letter === "y" ? ["y"] : Array.from({ length: n }, (_, i) => `${letter}${subscript(i + 1)}`));
    const names = { inputs: extra.inputs || numbered("x", nInputs), outputs: extra.outputs || numbered("y", nOutputs) };
    const fits = new Map((extra.suggestions || []).map(({ layer, output, input, fits: own }) => [`${layer},${output},${input}`, own]));
    return { network, names, ...looked, fits, fitsFrom: extra.suggestions ? extra.source : SEARCHED };
  }

  function show(network, name, extra = {}) {
    model = modelOf(network, extra);
    chosen = null;
    inputs = KAN.network.domain(network).map(([a, b]) => a / 2 + b / 2);
    const kinds = network.layers.flatMap((layer) => KAN.network.livingEdges(layer));
    const formulas = kinds.filter(({ kind }) => kind === "symbolic").length;
    byId("network-name").textContent = `${name}: [${network.widths.join(", ")}], ${kinds.length} active edges, ${formulas} of them symbolic.`;
    byId("network-about").textContent = extra.about || "";
    makeSliders();
    drawPicture();
    if (picture.strongest) choose(picture.strongest);
    else clearPanel();
    evaluate();
  }

  function clearPanel() {
    byId("edge-title").textContent = "This network has no active edge";
    for (const id of ["edge-facts", "edge-fits", "edge-curve"]) byId(id).replaceChildren();
    byId("edge-fits-note").textContent = "";
  }

  function drawPicture() {
    const holder = byId("network-plot");
    const columns = holder.closest(".columns");
    columns.classList.remove("wide");
    picture = KAN.networkPicture.draw(holder, model, holder.clientWidth, choose);
    if (picture.width > holder.clientWidth) {
      columns.classList.add("wide"); // then the panel of the edge goes below
      picture = KAN.networkPicture.draw(holder, model, holder.clientWidth, choose);
    }
    const undefinedAt = model.usedSamples === 0 ? "No sample has a value: a symbolic edge is undefined on the whole grid." : "";
    byId("network-note").textContent = [picture.note, undefinedAt].filter(Boolean).join(" ");
    if (chosen) picture.markEdge(chosen);
  }

  function choose(edge) {
    if (chosen && edge.layer === chosen.layer && edge.output === chosen.output && edge.input === chosen.input) return;
    chosen = edge;
    picture.markEdge(edge);
    KAN.edgePanel.draw(model, edge);
    moveDot();
  }

  // --- inputs and outputs

  function makeSliders() {
    const box = KAN.network.domain(model.network);
    const shown = model.names.inputs.slice(0, MOST_SLIDERS);
    const rows = shown.map((name, i) => {
      const [a, b] = box[i];
      const air = 0.25 * (b - a);
      const slider = html("input", { type: "range", id: `input-${i}`, min: a - air, max: b + air, step: (b - a) / 200, value: inputs[i] });
      slider.value = inputs[i];
      const value = html("output", { for: `input-${i}`, id: `input-${i}-value` }, format(inputs[i], 3));
      slider.addEventListener("input", () => {
        inputs[i] = Number(slider.value);
        value.textContent = format(inputs[i], 3);
        slider.setAttribute("aria-valuetext", `${name} = ${format(inputs[i], 3)}`);
        evaluate();
      });
      return html("div", { class: "control" }, html("label", { for: `input-${i}` }, name), slider, value);
    });
    const more = model.names.inputs.length - shown.length;
    if (more > 0) rows.push(html("p", { class: "note" }, `The other ${more} inputs are set to the middle of their grids.`));
    byId("inputs").replaceChildren(...rows);
  }

  function evaluate() {
    const run = KAN.network.forward(model.network, inputs);
    const outputs = run.nodes[run.nodes.length - 1];
    byId("outputs").textContent = model.names.outputs.slice(0, MOST_SLIDERS).map((name, j) => `${name}\u00a0=\u00a0${format(outputs[j], 6).replace(" ", "\u00a0")}`).join("   ")
      + (outputs.length > MOST_SLIDERS ? ` and ${outputs.length - MOST_SLIDERS} more` : "");
    const outside = KAN.network.domain(model.network).some(([a, b], i) => inputs[i] < a || inputs[i] > b);
    byId("outside").textContent = outside ? "An input is outside its grid, where its splines decay to zero." : "";
    picture.showValues(run);
    latest = run;
    moveDot();
  }

  let latest = null;
  function moveDot() {
    if (chosen && latest) KAN.edgePanel.moveDot(latest.nodes[chosen.layer][chosen.input]);
  }

  // --- examples and files

  function showExample(number) {
    const example = KAN.examples[number];
    say("");
    show(KAN.reading.fromDocument(example.document), example.title, example);
  }

  function say(sentence) {
    byId("file-error").textContent = sentence;
    byId("file-error").hidden = sentence === "";
  }

  async function readFile(file) {
    try {
      if (file.size > KAN.reading.MOST_BYTES) throw new Error(`${file.name} has ${file.size} bytes, but may have at most ${KAN.reading.MOST_BYTES}`);
      const network = KAN.reading.fromBytes(new Uint8Array(await file.arrayBuffer()), file.name);
      say("");
      show(network, file.name);
      byId("example").value = "file";
    } catch (error) {
      say(`${error.message}. The previous network is still shown.`);
    }
  }

  function start() {
    const select = byId("example");
    select.append(...KAN.examples.map(({ title }, n) => html("option", { value: n }, title)), html("option", { value: "file", disabled: "" }, "your own file"));
    select.addEventListener("change", () => showExample(Number(select.value)));
    byId("file").addEventListener("change", (event) => {
      if (event.target.files.length) readFile(event.target.files[0]);
      event.target.value = ""; // the same file may be chosen again
    });
    const zone = byId("network");
    const over = (is) => (event) => {
      if (!event.dataTransfer || ![...event.dataTransfer.types].includes("Files")) return;
      event.preventDefault();
      zone.classList.toggle("dropping", is);
    };
    zone.addEventListener("dragenter", over(true));
    zone.addEventListener("dragover", over(true));
    zone.addEventListener("dragleave", over(false));
    zone.addEventListener("drop", (event) => {
      over(false)(event);
      if (event.dataTransfer && event.dataTransfer.files.length) readFile(event.dataTransfer.files[0]);
    });
    showExample(0);
    whenResized(byId("network-plot"), () => {
      const edge = chosen;
      drawPicture();
      if (edge) KAN.edgePanel.draw(model, edge);
      evaluate();
    });
  }

  KAN.networkView = { start };
})(globalThis);
