// A network from the bytes of a JSON file that kan_ref.save wrote: versions 1 to 3 of the format in kan_ref/io/document.py.
"use strict";

// The file may come from anywhere: whatever is wrong with it is said in one sentence (an Error), and nothing of it is ever run. All that
// kan_ref.load reads is read here with the same meaning. JSON.parse is more lenient in two things: a key may stand twice in an object, of
// which the last counts, and 3.0 is an integer.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const FORMAT = "kan_ref network";
  const VERSION = 3;
  const MOST_BYTES = 2 ** 27;

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const isObjects = (value) => Array.isArray(value) && value.length > 0 && value.every(isObject);
  const isWhole = (value, low, high = Infinity) => Number.isInteger(value) && value >= low && value <= high;

  function fail(sentence) {
    throw new Error(sentence);
  }

  // a value of the file, short enough for a sentence
  function short(value) {
    const text = value === undefined ? "nothing" : JSON.stringify(value);
    return text.length > 40 ? text.slice(0, 37) + "..." : text;
  }

  function checkKeys(owner, plain, names) {
    const missing = names.find((name) => !Object.hasOwn(plain, name));
    if (missing !== undefined) fail(`${owner} lacks '${missing}'`);
    const extra = Object.keys(plain).find((name) => !names.includes(name));
    if (extra !== undefined) fail(`${owner} has ${short(extra)}, which has no place in format version ${VERSION}`);
  }

  // Shape of nested lists of finite numbers, as deep as told.
  function shapeOf(name, value, depth) {
    if (depth === 0) return Number.isFinite(value) ? [] : fail(`${name} contains ${short(value)}, but needs numbers of float64 alone`);
    if (!Array.isArray(value)) fail(`${name} is ${short(value)}, but needs numbers in lists, ${depth} deep`);
    const shapes = value.map((item) => shapeOf(name, item, depth - 1));
    if (shapes.some((shape) => String(shape) !== String(shapes[0]))) fail(`${name} has rows of different lengths`);
    return [value.length, ...(shapes[0] || new Array(depth - 1).fill(0))];
  }

  function checkShape(name, value, wanted) {
    const shape = shapeOf(name, value, wanted.length);
    if (String(shape) !== String(wanted)) fail(`${name} has shape (${shape.join(", ")}), but the layer needs (${wanted.join(", ")})`);
  }

  // Rows that do not decrease, with a grid [a, b] of some width.
  function checkKnots(owner, knots, degree) {
    const [nInputs, nKnots] = shapeOf(owner, knots, 2);
    if (nInputs < 1) fail(`${owner} has no row, but a layer needs one for each input`);
    if (nKnots < 2 * degree + 2) fail(`${owner} has ${nKnots} knots in a row, but degree ${degree} needs at least ${2 * degree + 2}`);
    knots.forEach((row, i) => {
      if (row.some((t, m) => m > 0 && t < row[m - 1])) fail(`${owner} must be nondecreasing along each row, but row ${i} decreases`);
      if (row[degree] === row[nKnots - 1 - degree]) fail(`${owner} must leave [a, b] some width, but row ${i} has both ends at ${row[degree]}`);
      if (!Number.isFinite(row[nKnots - 1] - row[0])) fail(`${owner} has row ${i} wider than float64`);
    });
    return [nInputs, nKnots - 2 * degree - 1];
  }

  // "output,input" -> {name, affine} of every symbolic edge; edges on one row of affine are locked and share its list.
  function readSymbolic(owner, { symbolic, affine, mask }, nOutputs, nInputs) {
    if (!isObjects(symbolic)) fail(`${owner}: symbolic is ${short(symbolic)}, but needs a list of objects`);
    const [nRows, nParameters] = shapeOf(`${owner}: affine`, affine, 2);
    if (nParameters !== 4) fail(`${owner}: affine has rows of ${nParameters} numbers, but every row needs 4: a, b, c, d`);
    const [byEdge, byRow] = [new Map(), new Map()];
    symbolic.forEach((edge, number) => {
      const one = `${owner}: symbolic edge ${number}`;
      checkKeys(one, edge, ["output", "input", "function", "row"]);
      const { output, input, row, function: name } = edge;
      if (typeof name !== "string" || !Object.hasOwn(KAN.functions.FUNCTIONS, name)) fail(`${one} has the function ${short(name)}, which this page does not know`);
      for (const [key, many] of [["output", nOutputs], ["input", nInputs], ["row", nRows]]) {
        if (!isWhole(edge[key], 0, many - 1)) fail(`${one} has ${key} ${short(edge[key])}, but must have an integer from 0 to ${many - 1}`);
      }
      const key = `${output},${input}`;
      if (mask[output][input] !== 0) fail(`${one} runs from input ${input} to output ${output}, but mask says that it is a spline edge`);
      if (byEdge.has(key)) fail(`${owner}: symbolic has the edge from input ${input} to output ${output} twice`);
      if (byRow.has(row) && byRow.get(row) !== name) fail(`${owner}: symbolic has '${byRow.get(row)}' and '${name}' on row ${row} of affine`);
      byEdge.set(key, { name, affine: affine[row] });
      byRow.set(row, name);
    });
    return byEdge;
  }

  function readLayer(plain, number) {
    const owner = `layer ${number}`;
    const hasFormulas = Object.hasOwn(plain, "symbolic") || Object.hasOwn(plain, "affine");
    checkKeys(owner, plain, ["degree", "base", "knots", "coef", "w_base", "w_spline", "mask", ...(hasFormulas ? ["symbolic", "affine"] : [])]);
    const { degree, base, knots, coef, w_base, w_spline, mask } = plain;
    if (!isWhole(degree, 0)) fail(`${owner} has degree ${short(degree)}, but needs an integer from 0 on`);
    if (!Object.hasOwn(KAN.functions.BASES, base)) fail(`${owner} has base ${short(base)}, but must have one of ${Object.keys(KAN.functions.BASES).join(", ")}`);
    const [nInputs, nIntervals] = checkKnots(`${owner}: knots`, knots, degree);
    const [nOutputs] = shapeOf(`${owner}: w_base`, w_base, 2);
    if (nOutputs < 1) fail(`${owner}: w_base has no row, but a layer needs at least one output`);
    for (const [name, value] of Object.entries({ w_base, w_spline, mask })) checkShape(`${owner}: ${name}`, value, [nOutputs, nInputs]);
    checkShape(`${owner}: coef`, coef, [nOutputs, nInputs, nIntervals + degree]);
    if (!mask.flat().every((flag) => flag === 0 || flag === 1)) fail(`${owner}: mask needs 0 or 1 for every edge`);
    const symbolic = hasFormulas ? readSymbolic(owner, plain, nOutputs, nInputs) : new Map();
    return { degree, base, knots, coef, w_base, w_spline, mask, nInputs, nOutputs, nIntervals, symbolic };
  }

  // The network of a document (what JSON.parse gives): { layers, widths }.
  function fromDocument(document) {
    if (!isObject(document) || document.format !== FORMAT) fail(`it does not say format '${FORMAT}'`);
    const { version, layers } = document;
    if (!isWhole(version, 1, VERSION)) fail(`it has format version ${short(version)}, by kan_ref ${short(document.kan_ref)}, but this page reads versions 1 to ${VERSION}`);
    checkKeys("it", document, ["format", "version", "kan_ref", "layers"]);
    if (!isObjects(layers)) fail("it needs its layers as a list of objects, at least one");
    const read = layers.map(readLayer);
    read.slice(1).forEach((layer, l) => {
      if (layer.nInputs !== read[l].nOutputs) fail(`layer ${l} has ${read[l].nOutputs} outputs, but layer ${l + 1} has ${layer.nInputs} inputs`);
    });
    return { layers: read, widths: [read[0].nInputs, ...read.map((layer) => layer.nOutputs)] };
  }

  // The network of a file's bytes; every fault is an Error whose one sentence begins with the file's name.
  function fromBytes(bytes, name) {
    try {
      if (bytes.length > MOST_BYTES) fail(`it has ${bytes.length} bytes, but may have at most ${MOST_BYTES}`);
      if (bytes[0] === 0x50 && bytes[1] === 0x4b) fail("it is an .npz archive; this page reads what kr.save(network, 'name.json') writes");
      if (bytes.length === 0) fail("it is empty");
      return fromDocument(JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)));
    } catch (error) {
      const why = { SyntaxError: "it is not JSON", TypeError: "it is not encoded in UTF-8", RangeError: "it is nested too deeply" }[error.name] || error.message;
      return fail(`${name} holds no network that can be read: ${why}`);
    }
  }

  // The network of a file's text.
  const fromText = (text, name) => fromBytes(new TextEncoder().encode(text), name);

  KAN.reading = { fromBytes, fromDocument, fromText, MOST_BYTES };
})(globalThis);
