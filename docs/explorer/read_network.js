// A network from a file: strict JSON, and the documents that kan_ref.save writes.
"use strict";

// Strict JSON (RFC 8259), as kan_ref.load reads it: UTF-8 without a byte order mark, no key twice in an object, and integers known by
// how they are written: 3 is one, 3.0, 3e0, -0 and more than 15 digits are not. Every fault is an Error whose message is one sentence.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const TOKENS = {
    space: /[ \t\n\r]*/y,
    string: /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y,
    number: /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/y,
    word: /true|false|null/y,
  };
  const MOST_DIGITS = 15;
  const WORDS = { true: true, false: false, null: null };
  const decimals = new WeakMap(); // object -> names of the members that are numbers, but no integers

  // The text of a file's bytes.
  function decode(bytes) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      throw new Error("it is not JSON: it is not encoded in UTF-8");
    }
  }

  function parse(text) {
    let at = 0;
    let isInteger = false; // the last number

    function fail(needed) {
      throw new Error(`it is not JSON: position ${at} needs ${needed}`);
    }

    function take(kind) {
      const token = TOKENS[kind];
      token.lastIndex = at;
      const found = token.exec(text);
      if (found === null) return null;
      at = token.lastIndex;
      return found[0];
    }

    // the next character that is not a space, taken if it is the given one
    function takes(character) {
      take("space");
      if (text[at] !== character) return false;
      at += 1;
      return true;
    }

    // what `entry` reads, separated by commas, up to the closing character
    function list(closing, entry) {
      if (takes(closing)) return;
      do entry();
      while (takes(","));
      if (!takes(closing)) fail(`',' or '${closing}'`);
    }

    function member(object) {
      take("space");
      const key = take("string");
      if (key === null) fail("a key in double quotes");
      const name = JSON.parse(key);
      if (Object.hasOwn(object, name)) throw new Error(`it has the key ${key.slice(0, 40)} twice in one object`);
      if (!takes(":")) fail("':'");
      isInteger = true;
      // no assignment: a key such as "__proto__" would have an effect
      Object.defineProperty(object, name, { value: value(), enumerable: true, configurable: true, writable: true });
      if (typeof object[name] === "number" && !isInteger) decimals.set(object, (decimals.get(object) || new Set()).add(name));
    }

    function value() {
      if (takes("{")) {
        const object = {};
        list("}", () => member(object));
        return object;
      }
      if (takes("[")) {
        const items = [];
        list("]", () => items.push(value()));
        return items;
      }
      const string = take("string");
      if (string !== null) return JSON.parse(string);
      const word = take("word");
      if (word !== null) return WORDS[word];
      const number = take("number");
      if (number === null) fail("a value");
      isInteger = /^-?[0-9]+$/.test(number) && number.length <= MOST_DIGITS && number !== "-0";
      return Number(number);
    }

    const found = value();
    take("space");
    if (at < text.length) fail("the end of the text");
    return found;
  }

  // Whether a member of an object is an integer; of an object that is not from `parse`, whether its value is one.
  function isWhole(object, name) {
    return Number.isInteger(object[name]) && !(decimals.has(object) && decimals.get(object).has(name));
  }

  KAN.json = { decode, parse, isWhole };
})(globalThis);

// A network from the text of a JSON file that kan_ref.save wrote: versions 1 to 3 of the format in kan_ref/io/document.py. The file may
// come from anywhere: whatever is wrong with it is said in one sentence (an Error), and nothing of it is ever run. What this reader
// accepts and rejects is what kan_ref.load accepts and rejects; a test compares them.
(function (root) {
  const KAN = (root.KAN = root.KAN || {});

  const FORMAT = "kan_ref network";
  const VERSION = 3;
  const ARRAYS = ["knots", "coef", "w_base", "w_spline", "mask"];
  const FORMULAS = ["symbolic", "affine"];
  const MOST_BYTES = 2 ** 27;

  const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
  const quoted = (names) => names.map((name) => `'${name}'`).join(", ");

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
    if (!Array.isArray(value)) fail(`${name} is ${short(value)}, but needs numbers in lists, ${depth} deep`);
    if (depth === 1) {
      const wrong = value.findIndex((item) => typeof item !== "number");
      if (wrong >= 0) fail(`${name} contains ${short(value[wrong])}, but needs numbers alone`);
      if (!value.every(Number.isFinite)) fail(`${name} contains a number that is beyond float64`);
      return [value.length];
    }
    const shapes = value.map((item) => shapeOf(name, item, depth - 1));
    if (shapes.some((shape) => String(shape) !== String(shapes[0]))) fail(`${name} has rows of different lengths`);
    return [value.length, ...(shapes[0] || new Array(depth - 1).fill(0))];
  }

  function checkKnots(owner, knots, degree) {
    const [nInputs, nKnots] = shapeOf(`${owner}: knots`, knots, 2);
    if (nInputs < 1) fail(`${owner}: knots has no row, but a layer needs one for each input`);
    if (nKnots < 2 * degree + 2) {
      fail(`${owner}: knots has ${nKnots} knots in a row, but degree ${degree} needs at least ${2 * degree + 2} (2 degree + 2)`);
    }
    knots.forEach((row, i) => {
      const fall = row.findIndex((t, m) => m > 0 && t < row[m - 1]);
      if (fall > 0) fail(`${owner}: knots must be nondecreasing along each row; row ${i} decreases from ${row[fall - 1]} to ${row[fall]} at position ${fall}`);
      const [a, b] = [row[degree], row[row.length - 1 - degree]];
      if (a === b) fail(`${owner}: knots must leave [a, b] some width, but row ${i} has both ends at ${a}`);
      if (!Number.isFinite(row[nKnots - 1] - row[0])) fail(`${owner}: knots has row ${i} wider than float64`);
    });
    return [nInputs, nKnots];
  }

  function checkShape(owner, name, value, wanted, rule) {
    const shape = shapeOf(`${owner}: ${name}`, value, wanted.length);
    if (String(shape) !== String(wanted)) fail(`${owner}: ${name} has shape (${shape.join(", ")}), but ${rule} need (${wanted.join(", ")})`);
  }

  function readSymbolic(owner, plain, nOutputs, nInputs) {
    const { symbolic, affine } = plain;
    if (!Array.isArray(symbolic) || symbolic.length === 0 || !symbolic.every(isObject)) {
      fail(`${owner}: symbolic is ${short(symbolic)}, but needs a list of objects`);
    }
    const [nRows, nParameters] = shapeOf(`${owner}: affine`, affine, 2);
    if (nParameters !== 4) fail(`${owner}: affine has rows of ${nParameters} numbers, but every row needs 4: a, b, c, d`);
    const byEdge = new Map();
    const byRow = new Map();
    symbolic.forEach((edge, number) => {
      const one = `${owner}: symbolic edge ${number}`;
      checkKeys(one, edge, ["output", "input", "function", "row"]);
      const name = edge.function;
      if (typeof name !== "string") fail(`${one} has the function ${short(name)}, but needs a name`);
      if (!Object.hasOwn(KAN.functions.FUNCTIONS, name)) {
        fail(`${one} has the function ${short(name)}, which is not among the ${Object.keys(KAN.functions.FUNCTIONS).length} that this page knows`);
      }
      for (const [key, many] of [["output", nOutputs], ["input", nInputs], ["row", nRows]]) {
        if (!KAN.json.isWhole(edge, key) || edge[key] < 0 || edge[key] >= many) {
          fail(`${one} has ${key} ${short(edge[key])}, but must have an integer from 0 to ${many - 1}`);
        }
      }
      const { output, input, row } = edge;
      if (plain.mask[output][input] !== 0) fail(`${one} runs from input ${input} to output ${output}, but mask says that it is a spline edge`);
      const key = `${output},${input}`;
      if (byEdge.has(key)) fail(`${owner}: symbolic has the edge from input ${input} to output ${output} twice`);
      if (byRow.has(row) && byRow.get(row) !== name) fail(`${owner}: symbolic has '${byRow.get(row)}' and '${name}' on row ${row} of affine`);
      byEdge.set(key, { name, affine: affine[row] });
      byRow.set(row, name);
    });
    return byEdge;
  }

  function readLayer(plain, number) {
    const owner = `layer ${number}`;
    const formulas = FORMULAS.some((name) => Object.hasOwn(plain, name)) ? FORMULAS : [];
    checkKeys(owner, plain, ["degree", "base", ...ARRAYS, ...formulas]);
    const { degree, base, knots, coef } = plain;
    if (!KAN.json.isWhole(plain, "degree") || degree < 0) fail(`${owner} has degree ${short(degree)}, but needs an integer from 0 on`);
    if (!Object.hasOwn(KAN.functions.BASES, base)) {
      fail(`${owner} has base ${short(base)}, but must have one of ${quoted(Object.keys(KAN.functions.BASES))}`);
    }
    const [nInputs, nKnots] = checkKnots(owner, knots, degree);
    const nOutputs = shapeOf(`${owner}: w_base`, plain.w_base, 2)[0];
    if (nOutputs < 1) fail(`${owner}: w_base has no row, but a layer needs at least one output`);
    const nIntervals = nKnots - 2 * degree - 1;
    for (const name of ["w_base", "w_spline", "mask"]) checkShape(owner, name, plain[name], [nOutputs, nInputs], `${nOutputs} outputs and ${nInputs} inputs`);
    const sizes = `${nOutputs} outputs, ${nInputs} inputs and n_intervals ${nIntervals} + degree ${degree}`;
    checkShape(owner, "coef", coef, [nOutputs, nInputs, nIntervals + degree], sizes);
    plain.mask.forEach((row, j) =>
      row.forEach((flag, i) => flag === 0 || flag === 1 || fail(`${owner}: mask is ${flag} at output ${j}, input ${i}, but every edge needs 0 or 1`)));
    const symbolic = formulas.length ? readSymbolic(owner, plain, nOutputs, nInputs) : new Map();
    return { degree, base, knots, coef, w_base: plain.w_base, w_spline: plain.w_spline, mask: plain.mask, nInputs, nOutputs, nIntervals, symbolic };
  }

  // The network of a document (what JSON.parse gives): { layers, widths }.
  function fromDocument(document) {
    if (!isObject(document) || document.format !== FORMAT) fail(`it does not say format '${FORMAT}'`);
    const { version, layers } = document;
    if (!KAN.json.isWhole(document, "version") || version < 1 || version > VERSION) {
      fail(`it has format version ${short(version)}, by kan_ref ${short(document.kan_ref)}, but this page reads versions 1 to ${VERSION}`);
    }
    checkKeys("it", document, ["format", "version", "kan_ref", "layers"]);
    if (!Array.isArray(layers) || layers.length === 0 || !layers.every(isObject)) fail("it needs its layers as a list of objects, at least one");
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
      const text = KAN.json.decode(bytes);
      if (text.trim() === "") fail("it is empty");
      return fromDocument(KAN.json.parse(text));
    } catch (error) {
      if (error instanceof RangeError) fail(`${name} holds no network that can be read: it is nested too deeply`);
      return fail(`${name} holds no network that can be read: ${error.message}`);
    }
  }

  // The network of a file's text.
  function fromText(text, name) {
    return fromBytes(new TextEncoder().encode(text), name);
  }

  KAN.reading = { fromBytes, fromDocument, fromText, MOST_BYTES };
})(globalThis);
