// A network from the text of a JSON file that kan_ref.save wrote: versions 1 to 3 of the format in kan_ref/io/document.py.
"use strict";

// The file may come from anywhere: what would give wrong curves, or none, is refused in one sentence (an Error). Nothing of it is run.
KAN.reading = (() => {
  const VERSION = 3;

  function must(holds, sentence) {
    if (!holds) throw new Error(sentence);
  }

  const isWhole = (value, low, high = Infinity) => Number.isInteger(value) && value >= low && value <= high;

  // Shape of nested lists of finite numbers; NaN where anything else is in them, or where rows have different lengths.
  function shapeOf(value) {
    if (!Array.isArray(value)) return Number.isFinite(value) ? [] : [NaN];
    const shapes = value.map(shapeOf);
    return shapes.some((shape) => String(shape) !== String(shapes[0])) ? [NaN] : [value.length, ...(shapes[0] ?? [])];
  }

  // "output,input" -> {name, affine} of every symbolic edge; edges on one row of affine are locked and share its list.
  function readSymbolic(owner, { symbolic = [], affine = [], mask }) {
    must(Array.isArray(symbolic) && (symbolic.length === 0 || shapeOf(affine)[1] === 4), `${owner} has symbolic edges without their a, b, c and d`);
    const found = new Map();
    for (const { output, input, row, function: name } of symbolic) {
      const edge = `${owner}: the symbolic edge from input ${input} to output ${output}`;
      must(Object.hasOwn(KAN.functions.FUNCTIONS, name), `${edge} has the function '${name}', which this page does not know`);
      must(mask[output]?.[input] === 0 && !found.has(`${output},${input}`), `${edge} is no edge of the layer, is a spline edge too, or is there twice`);
      must(isWhole(row, 0, affine.length - 1), `${edge} has no row of affine`);
      found.set(`${output},${input}`, { name, affine: affine[row] });
    }
    return found;
  }

  function readLayer(plain, number) {
    const owner = `layer ${number}`;
    const { degree, base, knots, coef, w_base, w_spline, mask } = plain;
    must(isWhole(degree, 0), `${owner} has no degree`);
    must(Object.hasOwn(KAN.functions.BASES, base), `${owner} has the base '${base}', but must have one of ${Object.keys(KAN.functions.BASES).join(", ")}`);
    const [[nInputs, nKnots], [nOutputs]] = [shapeOf(knots), shapeOf(mask)];
    const wanted = { knots: [nInputs, nKnots], coef: [nOutputs, nInputs, nKnots - degree - 1] };
    for (const name of ["w_base", "w_spline", "mask"]) wanted[name] = [nOutputs, nInputs];
    for (const [name, shape] of Object.entries(wanted)) {
      must(shape.every((size) => size > 0) && String(shapeOf(plain[name])) === String(shape), `${owner}: ${name} needs finite numbers of shape [${shape.join(", ")}]`);
    }
    for (const row of knots) {
      must(row.every((knot, m) => m === 0 || knot >= row[m - 1]), `${owner} has knots that decrease`);
      must(row[degree] < row[nKnots - 1 - degree], `${owner} has a grid without width`);
    }
    must(mask.flat().every((flag) => flag === 0 || flag === 1), `${owner}: mask needs 0 or 1 for every edge`);
    const symbolic = readSymbolic(owner, plain);
    return { degree, base, knots, coef, w_base, w_spline, mask, nInputs, nOutputs, nIntervals: nKnots - 2 * degree - 1, symbolic };
  }

  // The network of a document (what JSON.parse gives): { layers, widths }.
  function fromDocument(document) {
    must(document?.format === "kan_ref network", "it does not say format 'kan_ref network'");
    must(isWhole(document.version, 1, VERSION), `it has format version ${document.version}, but this page reads versions 1 to ${VERSION}`);
    must(document.layers?.length > 0, "it has no layers");
    const layers = document.layers.map(readLayer);
    layers.slice(1).forEach(({ nInputs }, l) => must(nInputs === layers[l].nOutputs, `layer ${l} has ${layers[l].nOutputs} outputs, but layer ${l + 1} has ${nInputs} inputs`));
    return { layers, widths: [layers[0].nInputs, ...layers.map((layer) => layer.nOutputs)] };
  }

  // The network of a file's text; every fault is an Error whose one sentence begins with the file's name.
  function fromText(text, name) {
    try {
      must(!text.startsWith("PK"), "it is an .npz archive; this page reads what kr.save(network, 'name.json') writes");
      return fromDocument(JSON.parse(text));
    } catch (error) {
      const why = error.name === "Error" ? error.message : error.name === "SyntaxError" ? "it is not JSON" : "its parts are not what kr.save writes";
      throw new Error(`${name} holds no network that can be read: ${why}`);
    }
  }

  return { fromDocument, fromText };
})();
